"""How fast, how light and how frugal the engine is: every figure beside a reference measured in the same run."""
