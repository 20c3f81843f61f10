// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Checks that bytes are UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
library Utf8 {
    /// @dev Whether `text` is UTF-8.
    function isValid(bytes calldata text) internal pure returns (bool) {
        uint256 i = 0;
        while (i < text.length) {
            uint8 first = uint8(text[i]);
            ++i;
            if (first < 0x80) continue;
            (uint256 more, uint8 low, uint8 high) = _following(first);
            if (more == 0 || more > text.length - i) return false;
            for (; more != 0; --more) {
                uint8 next = uint8(text[i]);
                ++i;
                if (next < low || next > high) return false;
                (low, high) = (0x80, 0xbf);
            }
        }
        return true;
    }

    /// @dev How many bytes follow a first byte, none if it cannot be one; and the range of the next.
    function _following(
        uint8 first
    ) private pure returns (uint256 more, uint8 low, uint8 high) {
        if (first < 0xc2 || first > 0xf4) return (0, 0, 0);
        if (first < 0xe0) return (1, 0x80, 0xbf);
        if (first < 0xf0) return (2, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
        return (3, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
    }
}
