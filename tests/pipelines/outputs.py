"""What pipelines say, as JSON has it: offsets count UTF-16 units, entities and answers are lists of their values."""


def utf16(text, at):
    return len(text[:at].encode("utf-16-le", "surrogatepass")) // 2


def tidy(value):
    """Numbers of Python, with 7 digits."""
    if isinstance(value, dict):
        return {key: tidy(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [tidy(item) for item in value]
    if isinstance(value, (float,)) or type(value).__module__ == "numpy":
        return round(float(value), 7)
    return value


def places(outputs, text):
    """[label, score, start, end, word, index] of entities, [answer, score, start, end] of answers."""
    places = [(utf16(text, o["start"]), utf16(text, o["end"])) for o in outputs]
    return [[o.get("entity") or o.get("entity_group") or o["answer"], o["score"], *place, *[o[k] for k in ("word", "index") if k in o]]
            for o, place in zip(outputs, places)]


def answers_of(pipe, pairs, options):
    outputs = [pipe(**pair, **options) for pair in pairs]
    # Short contexts have too few spans: Python then adds impossible ones, of score 0.
    listed = [[a for a in o if a["score"] > 0] if isinstance(o, list) else [o] for o in outputs]
    return [places(o, pair["context"]) for o, pair in zip(listed, pairs)]
