"""gepa's optimize with its default adapter, stopped after the first evaluation of the seed on all cases."""

import sys

import gepa
from gepa.adapters.default_adapter.default_adapter import DefaultAdapter


def main() -> None:
    """Evaluate BASE CALLS CONCURRENCY."""
    base, calls, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    access = {"api_base": base, "api_key": "unused", "max_tokens": 50}
    adapter = DefaultAdapter(
        model="openai/mock", max_litellm_workers=concurrency, litellm_batch_completion_kwargs=access
    )
    cases = [{"input": f"code {n}", "additional_context": {}, "answer": str(n)} for n in range(1, calls + 1)]
    gepa.optimize(
        seed_candidate={"system_prompt": "Repeat the code."},
        trainset=cases[:3],
        valset=cases,
        adapter=adapter,
        reflection_lm=lambda _: "Repeat the code.",
        max_metric_calls=calls,
    )


if __name__ == "__main__":
    main()
