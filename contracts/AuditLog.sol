// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SYSTEM_CALLER} from "./SystemAddresses.sol";
import {IAuditLog} from "./interfaces/IAuditLog.sol";

/**
 * @title One leaf for each block that changed memory.
 *
 * Upholds: places are contiguous from 0; heights rise; a leaf, once there, stays as it is.
 */
contract AuditLog is IAuditLog {
    /// @dev The first byte of what a leaf and an inner node of a Merkle tree hash (RFC 6962, 2.1).
    bytes1 private constant LEAF = 0x00;
    bytes1 private constant INNER = 0x01;

    Leaf[] private _leaves;
    bytes32 private _head;

    /// @inheritdoc IAuditLog
    function append(
        uint64 height,
        uint64 operations,
        bytes32 root
    ) external returns (uint256 index) {
        if (msg.sender != SYSTEM_CALLER) revert AuditLogNotLedger(msg.sender);
        if (operations == 0) revert AuditLogNoOperations(height);
        index = _leaves.length;
        uint256 last = index == 0 ? 0 : _leaves[index - 1].height;
        if (height <= last) revert AuditLogHeightNotAbove(height, last);
        bytes32 next = sha256(abi.encodePacked(_head, height, operations, root));
        _leaves.push(Leaf({height: height, operations: operations, root: root}));
        _head = next;
        emit AuditLeafAppended(index, height, operations, root, next);
    }

    /// @inheritdoc IAuditLog
    function length() external view returns (uint256) {
        return _leaves.length;
    }

    /// @inheritdoc IAuditLog
    function head() external view returns (bytes32) {
        return _head;
    }

    /// @inheritdoc IAuditLog
    function leafAt(uint256 index) external view returns (Leaf memory) {
        return _existing(index);
    }

    /// @inheritdoc IAuditLog
    function includes(
        uint256 index,
        uint256 position,
        bytes calldata operation,
        bytes32[] calldata path
    ) external view returns (bool) {
        Leaf storage leaf = _existing(index);
        if (position >= leaf.operations) return false;
        // RFC 9162, 2.1.3.2: `place` and `last` climb the tree together.
        uint256 place = position;
        uint256 last = leaf.operations - 1;
        bytes32 hash = sha256(abi.encodePacked(LEAF, operation));
        for (uint256 i = 0; i < path.length; ++i) {
            if (last == 0) return false;
            if (place & 1 == 1 || place == last) {
                hash = sha256(abi.encodePacked(INNER, path[i], hash));
                while (place & 1 == 0 && place != 0) {
                    place >>= 1;
                    last >>= 1;
                }
            } else {
                hash = sha256(abi.encodePacked(INNER, hash, path[i]));
            }
            place >>= 1;
            last >>= 1;
        }
        return last == 0 && hash == leaf.root;
    }

    function _existing(uint256 index) private view returns (Leaf storage) {
        uint256 count = _leaves.length;
        if (index >= count) revert AuditLogUnknownLeaf(index, count);
        return _leaves[index];
    }
}
