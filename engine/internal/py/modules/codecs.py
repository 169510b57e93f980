# SPDX-License-Identifier: Apache-2.0

BOM_UTF8 = unichr(0xfeff)
_LOWER, _UPPER = 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

def _rot13(s):
    return s.translate(str.maketrans(_LOWER + _UPPER, _LOWER[13:] + _LOWER[:13] + _UPPER[13:] + _UPPER[:13]))

def encode(obj, encoding='utf-8', errors='strict'):
    if encoding.replace('_', '').replace('-', '').lower() == 'rot13':
        return _rot13(obj)
    return obj.encode(encoding, errors)

def decode(obj, encoding='utf-8', errors='strict'):
    if encoding.replace('_', '').replace('-', '').lower() == 'rot13':
        return _rot13(obj)
    return obj.decode(encoding, errors)

def open(filename, mode='r', encoding=None, errors='strict', buffering=1):
    return __import__('__builtin__').open(filename, mode.replace('b', ''))
