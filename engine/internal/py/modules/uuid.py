# SPDX-License-Identifier: Apache-2.0
import hashlib

class UUID(object):
    def __init__(self, hex=None, bytes=None, int=None, version=None):
        if hex is not None:
            digits = hex.replace('urn:', '').replace('uuid:', '').strip('{}').replace('-', '')
            if len(digits) != 32:
                raise ValueError('badly formed hexadecimal UUID string')
        elif bytes is not None:
            digits = bytes
        else:
            digits = '%032x' % int
        digits = digits.lower()
        if version is not None:
            digits = digits[:12] + str(version) + digits[13:16] + '89ab'['0123456789abcdef'.index(digits[16]) & 3] + digits[17:]
        self.hex = digits
        self.version = version

    def __str__(self):
        h = self.hex
        return '-'.join([h[:8], h[8:12], h[12:16], h[16:20], h[20:]])

    def __repr__(self):
        return "UUID('%s')" % self

    def __int__(self):
        return int(self.hex, 16)

    @property
    def int(self):
        return __import__('__builtin__').int(self.hex, 16)

    @property
    def urn(self):
        return 'urn:uuid:' + str(self)

    def __eq__(self, other):
        return isinstance(other, UUID) and self.hex == other.hex

    def __cmp__(self, other):
        return cmp(self.hex, other.hex)

NAMESPACE_DNS = UUID('6ba7b810-9dad-11d1-80b4-00c04fd430c8')
NAMESPACE_URL = UUID('6ba7b811-9dad-11d1-80b4-00c04fd430c8')
NAMESPACE_OID = UUID('6ba7b812-9dad-11d1-80b4-00c04fd430c8')
NAMESPACE_X500 = UUID('6ba7b814-9dad-11d1-80b4-00c04fd430c8')

def uuid3(namespace, name):
    return UUID(bytes=hashlib.md5(__unhex__(namespace.hex) + name).hexdigest()[:32], version=3)

def uuid5(namespace, name):
    return UUID(bytes=hashlib.sha1(__unhex__(namespace.hex) + name).hexdigest()[:32], version=5)

def uuid4():
    raise __refused__('uuid4()', 'use uuid5 with a name, whose results stay the same')

def uuid1(*args):
    raise __refused__('uuid1()', 'use uuid5 with a name, whose results stay the same')

getnode = uuid1
