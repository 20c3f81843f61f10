// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AUDIT_LOG, MEMORY_RULES} from "./SystemAddresses.sol";
import {Utf8} from "./Utf8.sol";
import {IAuditLog} from "./interfaces/IAuditLog.sol";
import {ILedger} from "./interfaces/ILedger.sol";
import {IMemoryRules, MemoryKinds} from "./interfaces/IMemoryRules.sol";

/**
 * @title The door to memory for contracts and accounts of the EVM.
 *
 * Upholds: what {PutRequested} says, the rules have allowed to its author, and the ledger can make an entry
 * of: bounds and text are those of a native put. No two requests have one id.
 */
contract Ledger is ILedger {
    uint256 private constant LAST_TYPE = 6;
    uint256 private constant MAX_CONTENT_BYTES = 65_536;
    uint256 private constant MAX_KEY_BYTES = 256;
    uint256 private constant MAX_TAGS = 16;
    uint256 private constant MAX_TAG_BYTES = 64;

    /// @inheritdoc ILedger
    uint64 public requests;

    /// @inheritdoc ILedger
    function put(
        bytes32 space,
        uint8 entryType,
        string calldata key,
        bytes calldata content,
        string[] calldata tags
    ) external returns (bytes32 id) {
        space = _checked(space, entryType, key, content, tags);
        uint64 number = requests;
        requests = number + 1;
        id = sha256(abi.encodePacked("metatron/entry/contract/", space, msg.sender, number));
        emit PutRequested(id, space, msg.sender, number, entryType, key, content, tags);
    }

    /// @inheritdoc ILedger
    function includes(
        uint256 index,
        uint256 position,
        bytes calldata operation,
        bytes32[] calldata path
    ) external view returns (bool) {
        return IAuditLog(AUDIT_LOG).includes(index, position, operation, path);
    }

    /// @dev Checks an entry and asks the rules. @return place The space that is meant.
    function _checked(
        bytes32 space,
        uint8 entryType,
        string calldata key,
        bytes calldata content,
        string[] calldata tags
    ) private returns (bytes32 place) {
        if (entryType == 0 || entryType > LAST_TYPE) revert LedgerInvalidType(entryType);
        uint256 size = content.length;
        if (size == 0 || size > MAX_CONTENT_BYTES) {
            revert LedgerInvalidContent(size, MAX_CONTENT_BYTES);
        }
        bytes calldata keyBytes = bytes(key);
        if (keyBytes.length > MAX_KEY_BYTES || !Utf8.isValid(keyBytes)) revert LedgerInvalidKey();
        size += keyBytes.length + _checkTags(tags);
        place = space == 0 ? _personal() : space;
        IMemoryRules(MEMORY_RULES).decideOne(
            msg.sender,
            place,
            MemoryKinds.PUT,
            size,
            keyBytes.length == 0 ? bytes32(0) : sha256(keyBytes),
            sha256(content)
        );
    }

    /// @dev The caller's personal space. An account that signs has one by its native address only.
    function _personal() private view returns (bytes32) {
        address account = IMemoryRules(MEMORY_RULES).accountOf(msg.sender);
        // solhint-disable-next-line avoid-tx-origin
        if (account == msg.sender && msg.sender == tx.origin) {
            revert LedgerAccountNotLinked(msg.sender);
        }
        return IMemoryRules(MEMORY_RULES).personalSpaceOf(account);
    }

    /// @return size How many bytes the tags have.
    function _checkTags(string[] calldata tags) private pure returns (uint256 size) {
        if (tags.length > MAX_TAGS) revert LedgerInvalidTags();
        bytes32[] memory seen = new bytes32[](tags.length);
        for (uint256 i = 0; i < tags.length; ++i) {
            bytes calldata tag = bytes(tags[i]);
            if (tag.length == 0 || tag.length > MAX_TAG_BYTES || !Utf8.isValid(tag)) {
                revert LedgerInvalidTags();
            }
            seen[i] = keccak256(tag);
            for (uint256 j = 0; j < i; ++j) {
                if (seen[j] == seen[i]) revert LedgerInvalidTags();
            }
            size += tag.length;
        }
    }
}
