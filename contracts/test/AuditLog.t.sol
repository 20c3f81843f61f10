// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "../SystemAddresses.sol";
import {IAuditLog} from "../interfaces/IAuditLog.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @dev The audit log, and proofs that an operation is in a block.
contract AuditLogTest is LedgerTest {
    function _append(uint64 height, uint64 operations, bytes32 root) private {
        vm.prank(SYSTEM_CALLER);
        auditLog.append(height, operations, root);
    }

    function testOnlyTheLedgerAppends() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAuditLog.AuditLogNotLedger.selector, address(this))
        );
        auditLog.append(1, 1, KEY);
    }

    function testLeavesAreContiguousAndHeightsRise() public {
        _same(auditLog.head(), 0);
        _append(5, 2, KEY);
        bytes32 first = sha256(abi.encodePacked(bytes32(0), uint64(5), uint64(2), KEY));
        _same(auditLog.head(), first);
        _append(9, 1, CONTENT);
        _same(auditLog.head(), sha256(abi.encodePacked(first, uint64(9), uint64(1), CONTENT)));
        _same(auditLog.length(), 2);
        _same(auditLog.leafAt(1).height, 9);
        _same(auditLog.leafAt(1).root, CONTENT);
        vm.prank(SYSTEM_CALLER);
        vm.expectRevert(
            abi.encodeWithSelector(IAuditLog.AuditLogHeightNotAbove.selector, 9, 9)
        );
        auditLog.append(9, 1, KEY);
        vm.prank(SYSTEM_CALLER);
        vm.expectRevert(abi.encodeWithSelector(IAuditLog.AuditLogNoOperations.selector, 10));
        auditLog.append(10, 0, KEY);
        vm.expectRevert(abi.encodeWithSelector(IAuditLog.AuditLogUnknownLeaf.selector, 2, 2));
        auditLog.leafAt(2);
    }

    function _leaf(uint256 place) private pure returns (bytes memory) {
        return abi.encodePacked("operation ", place);
    }

    /// @dev RFC 6962's definition of a root, as it stands there.
    function _root(uint256 from, uint256 to) private pure returns (bytes32) {
        if (to - from == 1) return sha256(abi.encodePacked(bytes1(0), _leaf(from)));
        uint256 half = 1;
        while (half * 2 < to - from) half *= 2;
        return
            sha256(
                abi.encodePacked(bytes1(0x01), _root(from, from + half), _root(from + half, to))
            );
    }

    /// @dev RFC 6962's definition of an inclusion path.
    function _path(
        uint256 place,
        uint256 from,
        uint256 to
    ) private pure returns (bytes32[] memory path) {
        if (to - from == 1) return path;
        uint256 half = 1;
        while (half * 2 < to - from) half *= 2;
        bool low = place < from + half;
        bytes32[] memory inner = low
            ? _path(place, from, from + half)
            : _path(place, from + half, to);
        path = new bytes32[](inner.length + 1);
        for (uint256 i = 0; i < inner.length; ++i) path[i] = inner[i];
        path[inner.length] = low ? _root(from + half, to) : _root(from, from + half);
    }

    function testEveryOperationOfABlockIsProven() public {
        for (uint64 size = 1; size <= 12; ++size) {
            _append(size, size, _root(0, size));
            for (uint256 place = 0; place < size; ++place) {
                bytes32[] memory path = _path(place, 0, size);
                require(auditLog.includes(size - 1, place, _leaf(place), path), "not proven");
                require(ledger.includes(size - 1, place, _leaf(place), path), "through the ledger");
                require(!auditLog.includes(size - 1, place, _leaf(place + 1), path), "forged");
                require(!auditLog.includes(size - 1, size, _leaf(place), path), "past the end");
                require(
                    size == 1 || !auditLog.includes(size - 1, (place + 1) % size, _leaf(place), path),
                    "another place"
                );
                bytes32[] memory longer = new bytes32[](path.length + 1);
                for (uint256 i = 0; i < path.length; ++i) longer[i] = path[i];
                require(!auditLog.includes(size - 1, place, _leaf(place), longer), "longer");
                if (path.length == 0) continue;
                assembly {
                    mstore(path, sub(mload(path), 1))
                }
                require(!auditLog.includes(size - 1, place, _leaf(place), path), "shorter");
            }
        }
    }
}
