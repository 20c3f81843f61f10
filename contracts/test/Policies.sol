// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMemoryPolicy, MemoryOperation} from "../interfaces/IMemoryPolicy.sol";

/// @dev Policies that misbehave, each in its way.
contract LoopingPolicy is IMemoryPolicy {
    function check(MemoryOperation calldata) external pure returns (bytes4) {
        while (true) {}
        return IMemoryPolicy.check.selector;
    }
}

contract ErrorPolicy is IMemoryPolicy {
    error NotOnMonday(uint256 day);

    function check(MemoryOperation calldata) external pure returns (bytes4) {
        revert NotOnMonday(1);
    }
}

contract SilentPolicy is IMemoryPolicy {
    function check(MemoryOperation calldata) external pure returns (bytes4) {
        assembly {
            revert(0, 0)
        }
    }
}

contract LongErrorPolicy is IMemoryPolicy {
    function check(MemoryOperation calldata) external pure returns (bytes4) {
        assembly {
            calldatacopy(0, calldatasize(), 20000)
            mstore(0, not(0))
            mstore(992, 7)
            revert(0, 20000)
        }
    }
}

contract MegabytePolicy is IMemoryPolicy {
    function check(MemoryOperation calldata) external pure returns (bytes4) {
        assembly {
            return(0, 1048576)
        }
    }
}

contract WrongAnswerPolicy is IMemoryPolicy {
    function check(MemoryOperation calldata) external pure returns (bytes4) {
        return 0xdeadbeef;
    }
}

contract WritingPolicy {
    uint256 private _count;

    function check(MemoryOperation calldata) external returns (bytes4) {
        ++_count;
        return IMemoryPolicy.check.selector;
    }
}

/// @dev Allows, and reverts with what it was told if `told` says so.
contract TellingPolicy is IMemoryPolicy {
    error Told(bytes32 digest);

    bytes32 private immutable _wanted;

    constructor(bytes32 wanted) {
        _wanted = wanted;
    }

    function check(MemoryOperation calldata operation) external view returns (bytes4) {
        bytes32 digest = keccak256(abi.encode(operation));
        if (digest != _wanted) revert Told(digest);
        return IMemoryPolicy.check.selector;
    }
}

/// @dev Refuses the operation that comes after `limit` bytes of one hour.
contract PickyPolicy is IMemoryPolicy {
    error Enough(uint256 writes, uint256 size);

    function check(MemoryOperation calldata operation) external pure returns (bytes4) {
        if (operation.size == 13) revert Enough(operation.writesThisHour, operation.bytesThisHour);
        return IMemoryPolicy.check.selector;
    }
}
