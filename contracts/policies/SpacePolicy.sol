// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MEMORY_RULES} from "../SystemAddresses.sol";
import {IMemoryPolicy} from "../interfaces/IMemoryPolicy.sol";
import {IMemoryRules, MemoryRights} from "../interfaces/IMemoryRules.sol";

/**
 * @dev A policy that many spaces share, each with settings of its own.
 *
 * Upholds: only those who have ADMIN in a space change its settings; a space that was never set allows nothing.
 */
abstract contract SpacePolicy is IMemoryPolicy {
    /// @dev The caller may not change the space's settings.
    error PolicyNotAdmin(bytes32 space, address caller);
    /// @dev The space has no settings.
    error PolicyNotConfigured(bytes32 space);

    modifier onlyAdmin(bytes32 space) {
        uint256 rights = IMemoryRules(MEMORY_RULES).rightsOf(space, msg.sender);
        if (rights & MemoryRights.ADMIN == 0) revert PolicyNotAdmin(space, msg.sender);
        _;
    }
}
