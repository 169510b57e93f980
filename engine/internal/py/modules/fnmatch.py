# SPDX-License-Identifier: Apache-2.0
import re

def translate(pattern):
    out, i = '', 0
    while i < len(pattern):
        c = pattern[i]
        i += 1
        if c == '*':
            out += '(?s:.*)'
        elif c == '?':
            out += '(?s:.)'
        elif c == '[' and ']' in pattern[i + 1:]:
            j = pattern.index(']', i + 1)
            inner = pattern[i:j].replace('\\', '\\\\')
            out += '[' + ('^' + inner[1:] if inner[0] == '!' else inner) + ']'
            i = j + 1
        else:
            out += re.escape(c)
    return out + '\\Z'

def fnmatch(name, pattern):
    return re.match(translate(pattern), name) is not None

fnmatchcase = fnmatch

def filter(names, pattern):
    return [n for n in names if fnmatch(n, pattern)]
