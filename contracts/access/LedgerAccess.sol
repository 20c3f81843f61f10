// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {GOVERNORS} from "../SystemAddresses.sol";

/**
 * @title Who may change the ledger's contracts: an AccessManager that {Governors} administers.
 *
 * Upholds: from the genesis on, {Governors} is the only holder of a role, until it gives one away; whoever
 * holds ADMIN acts after a delay above zero, during which everyone can see what is to come.
 */
contract LedgerAccess is AccessManager {
    /// @dev The shortest delay of an administrator, in seconds.
    uint32 private constant LEAST_DELAY = 1;

    /// @param delay Seconds between the decision of the governors and its effect.
    constructor(uint32 delay) AccessManager(GOVERNORS) {
        _grantRole(ADMIN_ROLE, GOVERNORS, 0, delay);
    }

    /// @dev Gives no administrator, the first one included, less than the shortest delay.
    function _grantRole(
        uint64 roleId,
        address account,
        uint32 grantDelay,
        uint32 executionDelay
    ) internal override returns (bool) {
        bool hasteful = roleId == ADMIN_ROLE && executionDelay < LEAST_DELAY;
        return
            super._grantRole(roleId, account, grantDelay, hasteful ? LEAST_DELAY : executionDelay);
    }
}
