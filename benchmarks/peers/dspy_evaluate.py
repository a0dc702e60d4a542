"""DSPy's Evaluate: one prediction for each case, with as many threads as calls may be under way."""

import sys

import dspy


def main() -> None:
    """Evaluate BASE CALLS CONCURRENCY."""
    base, calls, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    model = dspy.LM("openai/mock", api_base=base, api_key="unused", cache=False, temperature=0.0, max_tokens=50)
    dspy.configure(lm=model)
    cases = [dspy.Example(question=f"code {n}", answer=str(n)).with_inputs("question") for n in range(1, calls + 1)]
    evaluate = dspy.Evaluate(
        devset=cases, metric=lambda case, said, *_: case.answer == said.answer, num_threads=concurrency
    )
    evaluate(dspy.Predict("question -> answer"))


if __name__ == "__main__":
    main()
