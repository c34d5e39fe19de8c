"""Numbers and rows as Markdown has them."""

import math


def figure(x, digits=2):
    """So many figures, so that a table isn't more exact than what it is made of."""
    if not x:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(x)))
    text = f"{round(x, places):,.{max(places, 0)}f}".replace(",", " ")
    return text.rstrip("0").rstrip(".") if "." in text else text


def row(*cells, digits=2):
    return "| " + " | ".join(cell if isinstance(cell, str) else figure(cell, digits) for cell in cells) + " |"


def table(head, rows):
    return "\n".join([row(*head), "|" + "---|" * len(head), *rows, ""])
