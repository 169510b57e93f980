# Runs programs in Python 3 and tells what each leaves in the name "out".
#
# Reads lines of JSON, each the text of a program; writes for each the repr of
# out, or "!" and the class of the exception, as JSON.
#
# Here, and in the comment of writer in agreement_test.go, is all that is meant to
# differ from Python 3, because it is 2.7's that old specifications were written
# for. Whatever else differs is a mistake.
import decimal
import json
import signal
import sys

if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)


def old_round(x, digits=0):
    """2.7 rounds halves away from zero and always gives a float."""
    if not isinstance(x, (int, float)):
        raise TypeError("a float is required")
    if x != x or x in (float("inf"), float("-inf")):
        return float(x)
    exact = decimal.Decimal(float(x))
    step = decimal.Decimal(1).scaleb(-digits)
    with decimal.localcontext() as ctx:
        ctx.prec = 2000
        return float(exact.quantize(step, rounding=decimal.ROUND_HALF_UP))


# Classes that one of the two has not, or calls otherwise.
NAMES = {"ModuleNotFoundError": "ImportError", "JSONDecodeError": "ValueError", "RecursionError": "RuntimeError"}


class Endless(BaseException):
    """A program that chance made run without end: there is nothing to compare."""


def stop(*_):
    raise Endless


signal.signal(signal.SIGALRM, stop)


def answer(code):
    names = {"__name__": "__main__", "round": old_round}
    signal.alarm(2)
    try:
        exec(compile(code, "<program>", "exec"), names)
        return repr(names.get("out"))
    except BaseException as e:
        n = type(e).__name__
        return "!" + NAMES.get(n, n)
    finally:
        signal.alarm(0)


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=False)
