"""All that the simulated models know of the world. What is not written here they can only learn from their prompts.

A phrase is a list of words that stand next to each other; ``*`` at the end of a word allows any ending, ``*`` alone stands for
one to three words. The vocabulary is everyday English of customer service and banking, and beginners' French.
"""

from __future__ import annotations

CONCEPTS: dict[str, tuple[str, ...]] = {
    "a refund": (
        "refund*", "reimburs*", "repay*", "repaid", "money back", "paid back", "pay back", "paid out", "owe me", "my money",
        "the money", "no money", "store credit", "not received * money", "came back",
    ),
    "a return": (
        "return*", "send * back", "sent * back", "sending * back", "give * back", "goes back", "bring * back", "exchange it",
        "swap", "does not fit", "doesn't fit", "don't fit", "too small", "too big", "changed my mind", "don't want to keep",
        "pick it up", "hand in",
    ),
    "a delivery": (
        "deliver*", "ship", "shipp*", "shipment*", "arriv*", "courier", "carrier", "parcel*", "package*", "dispatch*", "depot",
        "warehouse", "customs", "driver", "van", "in the post", "box", "get here", "be here",
    ),
    "tracking": (
        "track*", "locate", "where is", "where did", "where my", "going on with", "turned up", "never received", "stuck",
        "find it", "follow it", "on the way", "nobody came", "been waiting", "has been shipped", "has left",
        "supposed to arrive",
    ),
    "an estimate of time": (
        "estimat*", "how long", "how soon", "how quickly", "how many * days", "usual*", "normally", "in time", "when would",
        "overnight", "next day", "roughly", "longer", "slower", "faster", "express", "realistic", "if i order", "before i",
        "until what time", "the latest", "this week", "do you deliver", "times to", "when do you expect", "waiting time",
    ),
    "a charge": (
        "charg*", "bill", "billed", "billing", "debit", "debits", "debited", "deduct*", "collected", "cost me", "took", "taken",
        "left my account", "went off", "statement",
    ),
    "something that happened twice": (
        "twice", "two times", "three times", "double*", "duplicate*", "second time", "two payments", "identical", "both",
        "another one", "more than i should", "the wrong amount", "instead of",
    ),
    "signing in": (
        "login", "log in", "logs me out", "logging in", "sign in", "sign-in", "signing in", "signed up", "password", "username",
        "locked", "get into", "get back in", "captcha", "two-factor", "shut out", "verify", "verification", "reset", "user",
        "fingerprint", "let me in", "profile doesn't exist",
    ),
    "a change of details": (
        "chang*", "updat*", "remove", "delete", "switch*", "alter", "correct", "edit", "merge", "rename", "add", "added",
        "downgrade", "turn on", "new * address", "new number", "misspell*", "instead", "replace", "stop calling", "from now on",
    ),
    "the customer's account": (
        "account*", "profile", "my details", "address", "membership", "newsletter", "phone number", "my name", "surname",
        "personal data", "preferences", "language", "number", "records", "date of birth",
    ),
    "a refusal": (
        "declin*", "refus*", "reject*", "fail*", "block*", "invalid", "turned down", "denied", "error", "won't accept",
        "not accept*", "not gone through", "not go through", "could not be", "isn't taken", "not working", "not work",
        "can't finish", "can't complete", "nothing gets", "no money was", "another method", "insufficient",
    ),
    "a payment": (
        "pay", "paying", "payment*", "checkout", "paypal", "visa", "instalment*", "transfer", "transaction*", "apple pay",
        "gift card", "credit card", "debit card",
    ),
    "an order": ("order*", "purchase*", "bought", "basket"),
    "the state of something": (
        "status", "progress", "how long until", "still nothing", "still no", "not yet", "so far", "promised", "confirmed",
        "weeks ago", "days ago", "accepted", "received", "was cancelled",
    ),
    "trouble": ("problem*", "issue*", "trouble", "broken", "does nothing", "help"),
    "a card": ("card", "cards"),
    "activation": ("activat*", "start using"),
    "a link to the app": ("link*", "connect*", "show up", "see * in the app", "reactivate", "put * on the app"),
    "loss or theft": ("lost", "lose", "stole*", "steal", "theft", "missing", "wallet"),
    "misuse by strangers": ("compromis*", "fraud*", "someone else", "hack*", "without my permission", "copied"),
    "something not recognised": ("recogni*", "didn't make", "did not make", "unknown", "don't know", "not mine"),
    "an exchange rate": ("rate", "rates", "exchange rate", "currency", "foreign", "abroad", "conversion"),
    "something pending": ("pending", "hasn't gone through", "waiting", "processing", "go through"),
    "a fee": ("fee", "fees", "extra", "additional"),
    "praise": ("good", "great", "love*", "excellent", "wonderful", "best", "happy", "nice", "perfect*"),
    "complaint": ("bad", "terrible", "awful", "hate*", "worst", "angry", "disappoint*", "useless", "poor"),
}  # fmt: skip
"""What a text can be about, by the name under which the optimiser writes it into a prompt, with the words that show it."""

TOPICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("order_tracking", ("tracking", "a delivery")),
    ("shipping_question", ("an estimate of time", "a delivery")),
    ("refund_status", ("a refund",)),
    ("return_request", ("a return",)),
    ("billing_issue", ("a charge", "something that happened twice")),
    ("login_problem", ("signing in",)),
    ("payment_declined", ("a refusal", "a payment")),
    ("account_update", ("a change of details", "the customer's account")),
    ("card_issue", ("a card", "trouble")),
    ("positive", ("praise",)),
    ("negative", ("complaint",)),
)
"""What the primary model calls things when nobody told it the permitted labels. Some names happen to be common ones."""

_STOP_WORDS = """
a about all also am an and any are as at be been but by can could did do does doing done for from get got had has have
he her his how i if in is it its just me might my no not of on one or our out she should so some that the their them then
there they this to too up us was we were what when where which who why will with would yes yet you your please hi hello
need want like know still after before into over than only very much more most other these those because really said
say says tell told thing things way
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

COLOURS = (
    "black",
    "white",
    "red",
    "blue",
    "green",
    "grey",
    "gray",
    "yellow",
    "brown",
    "pink",
    "purple",
    "orange",
    "beige",
)
SIZES = ("small", "medium", "large", "extra large", "xs", "xl", "xxl")
NUMBER_WORDS = {
    "one": 1, "a": 1, "an": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "dozen": 12, "twenty": 20, "thirty": 30, "fifty": 50, "hundred": 100,
    "pair": 2, "couple": 2, "single": 1, "half a dozen": 6,
}  # fmt: skip
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
