# SPDX-License-Identifier: Apache-2.0
import re as _re

ascii_lowercase = lowercase = 'abcdefghijklmnopqrstuvwxyz'
ascii_uppercase = uppercase = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
ascii_letters = letters = ascii_lowercase + ascii_uppercase
digits = '0123456789'
hexdigits = digits + 'abcdefABCDEF'
octdigits = '01234567'
punctuation = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'
whitespace = ' \t\n\r\v\f'
printable = digits + ascii_letters + punctuation + whitespace

maketrans = str.maketrans

def capwords(s, sep=None):
    return (sep or ' ').join([w.capitalize() for w in s.split(sep)])

class Template(object):
    delimiter = '$'
    idpattern = '[_a-zA-Z][_a-zA-Z0-9]*'

    def __init__(self, template):
        self.template = template

    def _fill(self, args, kw, safe):
        names = dict(args[0]) if args else {}
        names.update(kw)
        d = _re.escape(self.delimiter)
        pattern = '%s(?:(%s)|(%s)|\\{(%s)\\}|)' % (d, d, self.idpattern, self.idpattern)
        def one(m):
            if m.group(1):
                return self.delimiter
            name = m.group(2) or m.group(3)
            if name is None:
                if safe:
                    return m.group()
                raise ValueError('Invalid placeholder in string at character %d' % m.start())
            if name not in names and safe:
                return m.group()
            return str(names[name])
        return _re.sub(pattern, one, self.template)

    def substitute(self, *args, **kw):
        return self._fill(args, kw, False)

    def safe_substitute(self, *args, **kw):
        return self._fill(args, kw, True)

class Formatter(object):
    def format(self, text, *args, **kw):
        return self.vformat(text, args, kw)

    def vformat(self, text, args, kw):
        return text.format(*args, **kw)

def _method(name):
    return lambda s, *args: getattr(s, name)(*args)

lower, upper, strip, lstrip, rstrip = _method('lower'), _method('upper'), _method('strip'), _method('lstrip'), _method('rstrip')
split, rsplit, replace, find, rfind = _method('split'), _method('rsplit'), _method('replace'), _method('find'), _method('rfind')
index, rindex, count, zfill = _method('index'), _method('rindex'), _method('count'), _method('zfill')
ljust, rjust, center, capitalize = _method('ljust'), _method('rjust'), _method('center'), _method('capitalize')
swapcase, expandtabs, translate = _method('swapcase'), _method('expandtabs'), _method('translate')

def join(words, sep=' '):
    return sep.join(words)

splitfields, joinfields = split, join

def atoi(s, base=10):
    return int(s, base)

atol = atoi

def atof(s):
    return float(s)
