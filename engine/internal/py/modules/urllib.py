# SPDX-License-Identifier: Apache-2.0

_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-'

def quote(s, safe='/'):
    return ''.join([c if c in _SAFE or c in safe else ''.join(['%%%02X' % b for b in __bytes__(c)]) for c in str(s)])

def quote_plus(s, safe=''):
    return quote(s, safe + ' ').replace(' ', '+')

def unquote(s):
    return __unquote__(s)

def unquote_plus(s):
    return unquote(s.replace('+', ' '))

def urlencode(query, doseq=0):
    items = query.items() if hasattr(query, 'items') else query
    return '&'.join(['%s=%s' % (quote_plus(str(k)), quote_plus(str(v))) for k, v in items])

class ParseResult(object):
    def __init__(self, scheme, netloc, path, query, fragment):
        self.scheme, self.netloc, self.path, self.query, self.fragment = scheme, netloc, path, query, fragment
        self.params = ''
        host = netloc.rpartition('@')[2]
        self.username = netloc.rpartition('@')[0].partition(':')[0] or None
        name, _, port = host.partition(':')
        self.hostname, self.port = name.lower() or None, int(port) if port else None

    def geturl(self):
        out = self.path
        if self.netloc:
            out = '//' + self.netloc + out
        if self.scheme:
            out = self.scheme + ':' + out
        if self.query:
            out += '?' + self.query
        return out + ('#' + self.fragment if self.fragment else '')

def urlparse(url):
    rest, _, fragment = url.partition('#')
    rest, _, query = rest.partition('?')
    scheme = ''
    if ':' in rest and rest.split(':')[0].replace('+', '').isalnum():
        scheme, _, rest = rest.partition(':')
    netloc = ''
    if rest.startswith('//'):
        netloc, slash, path = rest[2:].partition('/')
        rest = slash + path
    return ParseResult(scheme.lower(), netloc, rest, query, fragment)

urlsplit = urlparse

def urlopen(*args, **kw):
    raise __refused__('the network', 'commit the data, or let a probe ask for it')

class parse(object):
    quote, quote_plus, unquote, unquote_plus = staticmethod(quote), staticmethod(quote_plus), staticmethod(unquote), staticmethod(unquote_plus)
    urlencode, urlparse, urlsplit = staticmethod(urlencode), staticmethod(urlparse), staticmethod(urlsplit)
