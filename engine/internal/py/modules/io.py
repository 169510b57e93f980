# SPDX-License-Identifier: Apache-2.0
class StringIO(object):
    def __init__(self, text='', newline=None): self._parts, self._at = [text], 0
    def _all(self):
        if len(self._parts) > 1: self._parts = [''.join(self._parts)]
        return self._parts[0]
    def write(self, s):
        self._parts.append(s)
        return len(s)
    def writelines(self, lines): self._parts.extend(lines)
    def getvalue(self): return self._all()
    def read(self, n=-1):
        s = self._all()[self._at:]
        if n is not None and n >= 0: s = s[:n]
        self._at += len(s)
        return s
    def readline(self):
        s = self._all()
        end = s.find('\n', self._at) + 1 or len(s)
        out = s[self._at:end]
        self._at = end
        return out
    def readlines(self): return list(self)
    def __iter__(self): return iter(self.readline, '')
    def seek(self, n, whence=0): self._at = n if whence == 0 else len(self._all())
    def tell(self): return self._at
    def close(self): pass
    def flush(self): pass
    def __enter__(self): return self
    def __exit__(self, *a): return False
BytesIO = StringIO
