"""Which encoding a file has: UTF-8, with or without a mark at its beginning, or CP949 (Korean Windows)."""

import codecs
import hashlib
from collections.abc import Iterable

from django.utils.translation import gettext as _

from audience.imports.errors import UnusableFile

UTF_8, CP949 = "utf-8", "cp949"
CHOICES = ((UTF_8, "UTF-8"), (CP949, "CP949 (Korean)"))
_FOREIGN_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def examine(chunks: Iterable[bytes]) -> tuple[str, str]:
    """The encoding that all of the bytes have, and their SHA-256. Raises UnusableFile if it is neither."""
    digest = hashlib.sha256()
    readers = {name: codecs.getincrementaldecoder(name)() for name, _label in CHOICES}
    is_first = True
    for chunk in chunks:
        if is_first and chunk.startswith(_FOREIGN_MARKS):
            raise UnusableFile(_("The file is UTF-16. Save it as CSV UTF-8 and upload it again."))
        is_first = False
        digest.update(chunk)
        readers = {name: reader for name, reader in readers.items() if _accepts(reader, chunk)}
    fitting = [name for name, reader in readers.items() if _accepts(reader, b"", final=True)]
    if not fitting:
        raise UnusableFile(_("The file is neither UTF-8 nor CP949. Save it as CSV UTF-8 and upload it again."))
    return fitting[0], digest.hexdigest()


def _accepts(reader: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    try:
        reader.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True
