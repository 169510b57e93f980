# SPDX-License-Identifier: Apache-2.0
import re as _re

_NAMES = {'lt': '<', 'gt': '>', 'amp': '&', 'quot': '"', 'apos': "'", 'nbsp': unichr(160)}

def escape(s, quote=True):
    s = s.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')
    return s.replace('"', '&quot;').replace("'", '&#x27;') if quote else s

def _one(m):
    name = m.group(1)
    if name[:2] in ('#x', '#X'):
        return unichr(int(name[2:], 16))
    if name[:1] == '#':
        return unichr(int(name[1:], 10))
    return _NAMES.get(name, m.group())

def unescape(s):
    return _re.sub('&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-z]+);', _one, s)
