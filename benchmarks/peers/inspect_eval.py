"""Inspect AI's eval of a task that generates and matches."""

import sys

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import generate, system_message


def main() -> None:
    """Evaluate BASE CALLS CONCURRENCY; the log goes to the present folder."""
    base, calls, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    config = GenerateConfig(max_connections=concurrency, max_tokens=50, temperature=0.0)
    model = get_model("openai-api/mock/mock", base_url=base, api_key="unused", config=config)
    cases = MemoryDataset([Sample(input=f"code {n}", target=str(n)) for n in range(1, calls + 1)])
    task = Task(dataset=cases, solver=[system_message("Repeat the code."), generate()], scorer=match())
    (log,) = eval(task, model=model, display="none", log_dir="logs", max_samples=concurrency)
    if log.status != "success":
        sys.exit(f"the evaluation ended as {log.status}: {log.error}")


if __name__ == "__main__":
    main()
