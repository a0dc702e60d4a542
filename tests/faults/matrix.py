"""Every fault that is survived: what is promised, which tests show it, and which figure they measured.

docs/reliability.md shows the same table; ``python -m tests.faults.matrix`` writes it there.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.config import ROOT
from tests.faults import measured

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- faults -->\n", "<!-- end of faults -->\n"


@dataclass(frozen=True)
class Row:
    """One fault. tests: their files below tests/, with the test's name. ordinary: shown by `make test`, not only `make faults`.

    figure: what was measured; names in braces are figures of docs/reliability.json, as record/figure.
    """

    number: str
    fault: str
    promise: str
    tests: tuple[str, ...]
    figure: str
    ordinary: bool = False


SAME = "The run ends as if nothing had happened; repeated are at most the calls that were under way."
WORKERS = "faults/test_workers.py::"
PROVIDER = "faults/test_provider.py::"
ADAPTERS = "llm/test_adapters.py::"

ROWS = (
    Row("F01", "A process of the worker's pool is killed", SAME,
        (WORKERS + "test_a_process_of_the_pool_is_gone", "jobs/test_worker.py::test_a_killed_process_of_the_pool_is_replaced_and_its_run_continues", "faults/random_kills.py::kill_at_random"),
        "{random_kills_sqlite/kills} + {random_kills_postgresql/kills} random kills, {random_kills_sqlite/lost} lost; driven again after {random_kills_sqlite/recovery_p95_s} s (p95) with a lease of {random_kills_sqlite/lease_s} s", True),
    Row("F02", "A whole worker is killed", SAME,
        (WORKERS + "test_a_whole_worker_is_gone", "jobs/test_worker.py::test_a_killed_worker_takes_its_processes_along_and_the_next_one_continues", "faults/test_policies.py::test_the_death_of_a_helper_costs_only_its_calls_under_way", "faults/test_policies.py::test_a_person_is_asked_about_calls_that_were_cut_off", "faults/test_policies.py::test_calls_that_were_cut_off_are_left_out_when_that_is_wished", "faults/random_kills.py::kill_at_random"),
        "{random_kills_sqlite/confirmed} ≤ {random_kills_sqlite/paid} paid ≤ {random_kills_sqlite/at_most} (SQLite), {random_kills_postgresql/confirmed} ≤ {random_kills_postgresql/paid} ≤ {random_kills_postgresql/at_most} (PostgreSQL)", True),
    Row("F03", "A crash just before or after any commit, of any kind of run", SAME,
        ("faults/test_failpoints.py::test_a_crash_at_some_commits_changes_nothing", "faults/test_failpoints.py::test_a_crash_at_any_commit_changes_nothing", "core/test_crash.py::test_a_crash_at_some_writes_changes_nothing_and_buys_nothing_twice", "core/test_crash.py::test_a_crash_at_any_write_changes_nothing_and_buys_nothing_twice"),
        "{failpoints_train_sqlite/crashes} of {failpoints_train_sqlite/crashes} on SQLite, {failpoints_train_postgresql/crashes} of {failpoints_train_postgresql/crashes} on PostgreSQL", True),
    Row("F04", "SIGTERM, SIGQUIT, out of memory, a time limit", SAME + " A worker that is told to end gives its run back at once.",
        (WORKERS + "test_a_process_of_the_pool_is_gone", WORKERS + "test_a_whole_worker_is_gone", WORKERS + "test_a_time_limit_ends_the_process_again_and_again", "jobs/test_worker.py::test_a_worker_that_is_told_to_end_gives_its_run_back_at_once"),
        "4 signals to a process, 3 to a worker, on both databases", True),
    Row("F05", "A worker sleeps longer than its lease and wakes up", "It is fenced: it writes nothing and buys nothing more.",
        (WORKERS + "test_a_worker_that_slept_longer_than_its_lease_is_fenced", "store/test_journal_contract.py::test_the_worker_that_was_fenced_writes_nothing_more"),
        "repeated: at most the 4 calls under way", True),
    Row("F06", "The web server is killed during an upload, an import, an export", "No half dataset, no half export; what is left over is invisible and cleared away.",
        ("faults/test_pages.py::test_killed_in_the_middle_of_an_upload", "faults/test_pages.py::test_killed_in_the_middle_of_an_import", "faults/test_pages.py::test_killed_in_the_middle_of_an_export", "services/test_datasets.py::test_nobody_sees_half_a_dataset"),
        "0 of 60,000 rows left, the second attempt stores all", True),
    Row("F07", "Redis restarts", "The worker waits for it; nothing is lost.",
        ("jobs/test_worker.py::test_the_worker_waits_for_redis_and_goes_on_when_it_is_back", "faults/test_redis.py::test_redis_goes_away_in_the_middle"),
        "0 calls repeated", True),
    Row("F08", "Redis is emptied (FLUSHALL)", "Runs are found in the database.",
        (WORKERS + "test_redis_forgets_everything", "jobs/test_worker.py::test_a_run_whose_hint_was_lost_is_found"), "2 of 2 runs done", True),
    Row("F09", "Redis is slow", "Runs and pages are not held up by it.",
        ("faults/test_redis.py::test_redis_is_slow", "faults/test_redis.py::test_pages_are_fast_without_redis_and_say_what_waits"), "0.6 s for a round trip: pages under 2 s"),
    Row("F10", "Redis is away or full", "Pages answer within 2 s and say what waits; runs wait in the database.",
        ("faults/test_redis.py::test_pages_are_fast_without_redis_and_say_what_waits", "faults/test_policies.py::test_redis_goes_away_while_it_shares_a_rate_limit", "jobs/test_intake.py::test_a_hint_without_a_broker_is_given_up_within_a_second"), "refused, silent, stalled, full: every page under 2 s", True),
    Row("F11", "A message comes twice", "The run is driven once.",
        (WORKERS + "test_a_message_comes_many_times", "jobs/test_worker.py::test_garbage_is_parked_and_the_worker_goes_on"), "9 messages, 1 claim, 0 calls repeated", True),
    Row("F12", "A message is delivered again", "The run is driven once, also when it is over already.",
        (WORKERS + "test_a_message_comes_many_times", "store/test_claims.py::test_a_run_that_needs_no_worker_is_left_alone"), "9 messages, 1 claim, 0 calls repeated", True),
    Row("F13", "Eight workers race for one run", "One gets it.",
        ("store/test_claims.py::test_eight_processes_race_for_each_of_twenty_runs", "store/test_claims.py::test_eight_threads_race_for_each_of_twenty_runs"), "20 of 20 runs claimed once", True),
    Row("F14", "Messages of older or newer versions, garbage on the queue", "They are parked, the worker lives.",
        ("jobs/test_intake.py::test_everything_else_is_malformed", "jobs/test_worker.py::test_garbage_is_parked_and_the_worker_goes_on"), "41 of 41 sorts of garbage parked", True),
    Row("F15", "PostgreSQL restarts; the answer to a commit is lost", "The claim survives; an ambiguous commit is repeated and changes nothing.",
        ("faults/test_store_away.py::test_a_restart_of_postgresql_does_not_end_the_claim", "faults/test_store_away.py::test_a_commit_whose_answer_is_lost_is_read_again_and_repeated", "faults/test_store_away.py::test_the_commit_that_ends_a_run_may_be_ambiguous", "store/test_journal_contract.py::test_what_was_waiting_is_written_once_the_store_is_back"), "0 answers lost", True),
    Row("F16", "PostgreSQL is away for a minute", "Nothing is bought meanwhile; paid answers wait on the disk.",
        ("faults/test_store_away.py::test_a_worker_waits_for_a_database_that_is_away_for_a_minute", "faults/test_store_away.py::test_what_was_paid_is_kept_when_the_worker_is_ended_while_the_database_is_away", "store/test_spool.py::test_what_was_paid_while_the_store_was_away_is_on_record_after_the_next_claim"), "0 answers lost, 0 calls while it was away", True),
    Row("F17", "SQLite is locked", "The run waits, buying nothing.",
        ("faults/test_store_local.py::test_a_run_waits_for_a_database_that_is_locked_longer_than_a_writer_waits", "store/test_database.py::test_writers_that_read_first_never_collide"), "0 writers turned away", True),
    Row("F18", "The disk is full", "The run pauses before that, and waits if it comes suddenly.",
        ("faults/test_store_local.py::test_a_run_waits_for_a_disk_that_is_full", "faults/test_store_local.py::test_what_was_paid_is_kept_when_a_worker_ends_while_the_disk_is_full", "services/test_machine.py::test_a_full_disk_pauses_a_run_before_it_buys_anything"), "0 answers lost", True),
    Row("F19", "The database is missing, damaged or newer", "The start is refused in words.",
        ("store/test_database.py::test_a_database_that_is_not_there_is_said", "store/test_database.py::test_a_damaged_file_is_said", "store/test_database.py::test_a_newer_database_is_left_alone"), "every command and server refuses", True),
    Row("F20", "429, with every form of Retry-After", SAME,
        (PROVIDER + "test_a_429_is_waited_for_in_whatever_form_it_asks", "llm/test_refusals.py::test_every_form_of_retry_after"), "8 forms in a run, 15 in all", True),
    Row("F21", "5xx, reset connections, unknown hosts", SAME,
        (PROVIDER + "test_a_failure_that_passes_leaves_no_trace_but_on_the_bill", ADAPTERS + "test_every_failure_has_its_name_and_was_sent_once", ADAPTERS + "test_a_closed_port_is_unreachable_and_costs_nothing", "faults/test_policies.py::test_a_run_that_an_outage_paused_goes_on_by_itself", "faults/test_provider.py::test_a_host_that_nobody_knows_is_unreachable_and_costs_nothing"), "13 failures, each 3 times, in a run", True),
    Row("F22", "A timeout after the request was sent", SAME + " The sending is shown as uncertain.",
        (PROVIDER + "test_a_failure_that_passes_leaves_no_trace_but_on_the_bill", ADAPTERS + "test_the_deadline_holds_whatever_trickles_in"), "the provider's count lies in the interval", True),
    Row("F23", "A slow drip, a stream that stalls", "The deadline of a call holds.",
        (PROVIDER + "test_a_failure_that_passes_leaves_no_trace_but_on_the_bill", ADAPTERS + "test_the_deadline_holds_whatever_trickles_in"), "given up within 2 s at a deadline of 0.5 s", True),
    Row("F24", "Malformed JSON, HTML, a truncated body", SAME,
        (PROVIDER + "test_one_failure_of_each_sort_in_one_run", ADAPTERS + "test_a_cut_off_answer_may_have_been_paid"), "14 sorts in one run, on both databases", True),
    Row("F25", "An answer cut at its limit or filtered", "It is no wrong answer, and is paid once.",
        (PROVIDER + "test_an_answer_that_was_cut_or_filtered_is_no_wrong_answer",), "n says how many were scored", True),
    Row("F26", "An empty answer", "It is an answer, and is paid once.", (PROVIDER + "test_an_empty_answer_is_an_answer_and_paid_once",), "confirmed = paid", True),
    Row("F27", "No usage, no price", "Tokens are estimated and marked; the cost is unknown, never 0.",
        (PROVIDER + "test_without_usage_and_price_the_run_is_the_same_and_says_so",), "every call is counted as unpriced", True),
    Row("F28", "NUL, lone surrogates, a 5 MB answer", "Stored whole, what no database holds replaced by a mark.",
        (PROVIDER + "test_any_text_is_stored_and_costs_only_itself", "store/test_journal_contract.py::test_unstorable_characters_are_replaced"), "5,000,000 bytes, on both databases", True),
    Row("F29", "401, 403, 404, quota in the middle", "The run pauses at once and is resumed where it was.",
        (PROVIDER + "test_what_no_repetition_helps_pauses_at_once_and_is_resumed", "faults/test_policies.py::test_a_wrong_key_is_resumed_by_hand_alone"), "at most the 4 calls under way met it, 0 repeated", True),
    Row("F30", "The optimiser talks junk", "The training ends in a verdict.",
        (PROVIDER + "test_an_optimiser_that_talks_junk_ends_in_a_verdict", "core/test_train.py::test_an_optimiser_that_never_makes_sense_ends_nothing_by_itself"), "100 % junk", True),
    Row("F31", "30 % of the calls fail for good", "The verdict is that of the fault-free run, or indecisive.",
        (PROVIDER + "test_a_third_of_the_answers_missing_never_turns_a_verdict", "core/test_train.py::test_errors_during_validation_do_not_count_as_wrong_answers"), "3 of 3 seeds", True),
    Row("F32", "The other model (optimiser, judge) is down", "The run pauses, says which, and is resumed.",
        (PROVIDER + "test_an_outage_of_the_judge_pauses_and_is_resumed", PROVIDER + "test_a_judge_that_fails_now_and_then_never_makes_an_answer_wrong", PROVIDER + "test_an_outage_of_the_other_model_pauses_and_is_resumed", "core/test_train.py::test_an_optimiser_that_is_down_pauses_instead_of_using_up_the_patience"), "same end state", True),
    Row("F33", "Cancelled or paused while calls hang", "Within 5 s, and no call after it.",
        (WORKERS + "test_a_wish_is_heard_within_five_seconds_though_calls_hang", "core/test_run.py::test_a_hanging_call_does_not_hold_up_a_cancel", "core/test_run.py::test_a_wish_is_heard_and_nothing_is_bought_after_it"), "at most 5 s, 0 calls afterwards", True),
    Row("F34", "A budget is reached", "It is not overshot, and the best so far is kept.",
        (PROVIDER + "test_a_limit_is_not_overshot_and_the_best_is_kept", "core/test_run.py::test_no_limit_is_overshot", "core/test_train.py::test_a_budget_ends_the_search_but_not_the_sealed_test"), "overshoot 0", True),
    Row("F35", "Clocks jump", "Leases heal, durations stay right.", ("store/test_clocks.py",), "healed within a second", True),
    Row("F36", "A new version is deployed in the middle", "The run goes on with its pinned spec.", (WORKERS + "test_a_new_version_is_deployed",), "same end state"),
    Row("F37", "The tables are migrated in the middle", "The run goes on.",
        ("faults/test_store_local.py::test_a_run_goes_on_while_the_tables_are_changed", "store/test_releases.py", WORKERS + "test_the_tables_are_migrated_while_it_runs"), "0 calls repeated", True),
    Row("F38", "Simultaneous first starts", "One migrates, all start.", ("store/test_database.py::test_eight_first_starts_at_once",), "8 of 8", True),
    Row("F39", "The power fails between paid and stored", "What was called durable is there; the rest is in doubt on the bill.",
        ("store/test_writer.py::test_what_was_called_durable_survives_kill_9", "faults/test_store_local.py::test_answers_that_were_paid_for_and_not_stored_when_the_power_fails_are_in_doubt"), "0 durable writes lost", True),
    Row("F40", "Backup and restore", "A copy made during a run can be put in place; the run goes on from there.",
        ("store/test_backup.py", "faults/test_store_local.py::test_a_backup_made_during_a_run_is_put_in_place_and_the_run_goes_on"), "same end state", True),
    Row("F41", "What a run uses is edited or deleted", "The run has what it was started with.",
        (WORKERS + "test_what_it_uses_is_edited_and_deleted", "services/test_drive.py::test_a_dataset_that_changed_fails_the_run_by_name"), "same end state, also after a crash", True),
    Row("F42", "A flood of event-stream clients", "The pages are unaffected.",
        ("faults/test_pages.py::test_a_flood_of_streams_leaves_the_pages_alone", "web/test_live_stream.py::test_too_many_streams_are_asked_to_come_back"), "200 clients: pages under 2 s", True),
)  # fmt: skip


def figure(row: Row) -> str:
    """The row's figure with what was measured. Raises: KeyError for a figure that nobody has measured."""
    found, text = measured.read(), row.figure
    for part in text.split("{")[1:]:
        name = part.partition("}")[0]
        record, _, key = name.partition("/")
        text = text.replace("{" + name + "}", f"{found[record][key]:,}")
    return text


def table() -> str:
    """The table of docs/reliability.md."""
    lines = ["| | Fault | Promise | Measured | Shown by (* in `make test`) |", "|---|---|---|---|---|"]
    for row in ROWS:
        tests = "<br>".join(f"`{test}`" for test in row.tests)
        lines.append(
            f"| {row.number} | {row.fault} | {row.promise} | {figure(row)} | {tests}{'*' if row.ordinary else ''} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the table into the page."""
    text = PAGE.read_text()
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(before + BEGIN + table() + END + after)


if __name__ == "__main__":
    main()
