"""The pages of benchmarks: the list, the form, results, answers side by side, ranking, and review prompts."""

from app.web.benchmarks import answers, browse, new, ranking, reviews, show
from app.web.benchmarks.page import pages

__all__ = ["answers", "browse", "new", "pages", "ranking", "reviews", "show"]
