"""What the embedded judge knows of a person's words."""

from __future__ import annotations

from studio.ui import markup

EXAMPLES = 6  # looks named when none of the words is known


def nearest(words: str, model_type: str) -> str:
    """Draw the known looks nearest to the words; empty for no words and for a judge that reads any.

    Args:
        words: What the person wrote.
        model_type: The judge that will read them.
    """
    if not words.strip() or not model_type.startswith("embedded"):
        return ""
    from studio.grading.looks import LOOKS, match

    found = match(words)
    if found is None:
        some = ", ".join(look.name for look in LOOKS[:: max(1, len(LOOKS) // EXAMPLES)][:EXAMPLES])
        return _say("The embedded judge knows none of these words, so its score will mean little.", f"Try {some}.")
    sure = [look.name if near == 1 else f"{look.name} ({100 * near:.0f} % alike)" for look, near in found.looks]
    unknown = f"It does not know: {', '.join(found.unknown)}." if found.unknown else ""
    return _say(f"Read as {' + '.join(sure)}.", unknown)


def _say(first: str, second: str) -> str:
    return f'<p class="quiet">{markup.escape(first)} {markup.escape(second)}</p>'
