# SPDX-License-Identifier: Apache-2.0

_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-'

def quote(s):
    if s and not s.strip(_SAFE):
        return s
    return "'" + s.replace("'", "'\"'\"'") + "'"

def join(words):
    return ' '.join([quote(w) for w in words])

def split(s, comments=False, posix=True):
    if not posix:
        __refused__('shlex.split(posix=False)', 'split as a shell does')
    out, word, mark, i = [], None, '', 0
    while i < len(s):
        c = s[i]
        i += 1
        if mark:
            if c == mark:
                mark = ''
            elif c == '\\' and mark == '"' and s[i:i + 1] in ('"', '\\'):
                word += s[i]
                i += 1
            else:
                word += c
        elif c in '"\'':
            mark, word = c, word or ''
        elif c.isspace():
            if word is not None:
                out.append(word)
            word = None
        elif c == '#' and comments:
            i = (s.find('\n', i) + 1) or len(s)
        elif c == '\\':
            if i >= len(s):
                raise ValueError('No escaped character')
            word = (word or '') + s[i]
            i += 1
        else:
            word = (word or '') + c
    if mark:
        raise ValueError('No closing quotation')
    return out if word is None else out + [word]
