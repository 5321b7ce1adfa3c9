"""The printable characters that GPT-2 writes bytes with; changes never.

The printable bytes of Latin-1 are themselves, the others follow from U+0100 [1].

References:
    [1] https://github.com/openai/gpt-2/blob/master/src/encoder.py
"""

PRINTABLE = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))
OTHERS = tuple(byte for byte in range(0x100) if byte not in PRINTABLE)
BYTE_OF_CHAR = {
    **{chr(byte): byte for byte in PRINTABLE},
    **{chr(0x100 + index): byte for index, byte in enumerate(OTHERS)},
}


def bytes_of(token: str) -> bytes:
    """Return the bytes that a token stands for; its own where it is not so written."""
    if all(char in BYTE_OF_CHAR for char in token):
        return bytes(BYTE_OF_CHAR[char] for char in token)
    return token.encode()
