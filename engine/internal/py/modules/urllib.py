# SPDX-License-Identifier: Apache-2.0
from collections import namedtuple as _namedtuple

_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~'
_RELATIVE = ('', 'ftp', 'http', 'https', 'gopher', 'nntp', 'imap', 'wais', 'file', 'mms', 'shttp', 'prospero', 'rtsp', 'rtspu', 'sftp', 'svn', 'svn+ssh', 'ws', 'wss')

def quote(string, safe='/', encoding=None, errors=None):
    return ''.join([c if c in _SAFE or c in safe else ''.join(['%%%02X' % b for b in __bytes__(c)]) for c in str(string)])

def quote_plus(string, safe='', encoding=None, errors=None):
    return quote(string, safe + ' ').replace(' ', '+')

def unquote(string, encoding='utf-8', errors='replace'):
    return __unquote__(string)

def unquote_plus(string, encoding='utf-8', errors='replace'):
    return unquote(string.replace('+', ' '))

unquote_to_bytes, quote_from_bytes = unquote, quote

def urlencode(query, doseq=False, safe='', encoding=None, errors=None, quote_via=quote_plus):
    out = []
    for k, v in query.items() if hasattr(query, 'items') else query:
        values = v if doseq and not isinstance(v, str) and hasattr(v, '__iter__') else [v]
        out += [quote_via(str(k), safe) + '=' + quote_via(str(x), safe) for x in values]
    return '&'.join(out)

class _Result(object):
    @property
    def _host(self):
        _, _, host = self.netloc.rpartition('@')
        if host.startswith('['):
            name, _, port = host[1:].partition(']')
            return name, port[1:]
        name, _, port = host.partition(':')
        return name, port

    @property
    def hostname(self):
        return self._host[0].lower() or None

    @property
    def port(self):
        return int(self._host[1], 10) if self._host[1] else None

    @property
    def username(self):
        user, at, _ = self.netloc.rpartition('@')
        return user.partition(':')[0] if at else None

    @property
    def password(self):
        user, colon, word = self.netloc.rpartition('@')[0].partition(':')
        return word if colon else None

    def geturl(self):
        return urlunparse(self) if len(self) == 6 else urlunsplit(self)

_Parse = _namedtuple('ParseResult', 'scheme netloc path params query fragment')
_Split = _namedtuple('SplitResult', 'scheme netloc path query fragment')
_Defrag = _namedtuple('DefragResult', 'url fragment')

class ParseResult(_Result, _Parse):
    def _replace(self, **kw):
        return ParseResult(*[kw.get(n, v) for n, v in zip(self._fields, self)])

class SplitResult(_Result, _Split):
    def _replace(self, **kw):
        return SplitResult(*[kw.get(n, v) for n, v in zip(self._fields, self)])

def urlsplit(url, scheme='', allow_fragments=True):
    rest, query, fragment = url.strip(), '', ''
    head, colon, tail = rest.partition(':')
    if colon and head and head[0].isalpha() and not head.translate(dict.fromkeys([ord(c) for c in '+-.'])).strip(_SAFE[:62]):
        scheme, rest = head.lower(), tail
    netloc = ''
    if rest.startswith('//'):
        end = min([i for i in (rest.find(c, 2) for c in '/?#') if i >= 0] or [len(rest)])
        netloc, rest = rest[2:end], rest[end:]
        if ('[' in netloc) != (']' in netloc):
            raise ValueError('Invalid IPv6 URL')
    if allow_fragments:
        rest, _, fragment = rest.partition('#')
    rest, _, query = rest.partition('?')
    return SplitResult(scheme, netloc, rest, query, fragment)

def urlparse(url, scheme='', allow_fragments=True):
    s = urlsplit(url, scheme, allow_fragments)
    path, params = s.path, ''
    last = path.rfind('/') + 1
    if ';' in path[last:]:
        at = path.index(';', last)
        path, params = path[:at], path[at + 1:]
    return ParseResult(s.scheme, s.netloc, path, params, s.query, s.fragment)

def urlunsplit(parts):
    scheme, netloc, url, query, fragment = parts
    if netloc:
        url = '//' + netloc + ('/' if url and not url.startswith('/') else '') + url
    elif url.startswith('//'):
        url = '//' + url
    if scheme:
        url = scheme + ':' + url
    if query:
        url += '?' + query
    return url + ('#' + fragment if fragment else '')

def urlunparse(parts):
    scheme, netloc, path, params, query, fragment = parts
    return urlunsplit((scheme, netloc, path + (';' + params if params else ''), query, fragment))

def urldefrag(url):
    if '#' not in url:
        return _Defrag(url, '')
    p = urlparse(url)
    return _Defrag(urlunparse(p._replace(fragment='')), p.fragment)

def urljoin(base, url, allow_fragments=True):
    if not base or not url:
        return url or base
    b = urlparse(base, '', allow_fragments)
    u = urlparse(url, b.scheme, allow_fragments)
    if u.scheme != b.scheme or u.scheme not in _RELATIVE:
        return url
    if u.netloc:
        return urlunparse(u)
    if not u.path and not u.params:
        return urlunparse(b._replace(query=u.query or b.query, fragment=u.fragment))
    if u.path.startswith('/'):
        parts = u.path.split('/')
    else:
        parts = b.path.split('/')[:-1] + u.path.split('/')
        parts = parts[:1] + [p for p in parts[1:-1] if p] + parts[-1:] if len(parts) > 1 else parts
    out = []
    for p in parts:
        if p == '..':
            if out:
                out.pop()
        elif p != '.':
            out.append(p)
    if parts[-1] in ('.', '..'):
        out.append('')
    path = '/'.join(out) or '/'
    if b.netloc and not path.startswith('/'):
        path = '/' + path
    return urlunparse((b.scheme, b.netloc, path, u.params, u.query, u.fragment))

def parse_qsl(qs, keep_blank_values=False, strict_parsing=False, **kw):
    out = []
    for part in qs.split('&'):
        k, eq, v = part.partition('=')
        if not eq and strict_parsing:
            raise ValueError('bad query field: %r' % part)
        if v or keep_blank_values and part:
            out.append((unquote_plus(k), unquote_plus(v)))
    return out

def parse_qs(qs, keep_blank_values=False, strict_parsing=False, **kw):
    out = {}
    for k, v in parse_qsl(qs, keep_blank_values, strict_parsing):
        out.setdefault(k, []).append(v)
    return out

def urlopen(*args, **kw):
    __refused__('the network', 'commit the data, or let a probe ask for it')

urlretrieve = urlopen
