// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {GOVERNORS} from "../SystemAddresses.sol";

/**
 * @title Who may change the ledger's contracts: an AccessManager that only {Governors} administers.
 *
 * Upholds: from the genesis on, {Governors} is the only holder of a role; whoever holds ADMIN acts after a
 * delay above zero, which everyone can watch run.
 */
contract LedgerAccess is AccessManager {
    /// @dev An administrator without a delay.
    error LedgerAccessNoDelay(address account);

    constructor(uint32 delay) AccessManager(GOVERNORS) {
        // The administrator that the parent made has no delay yet.
        _grantRole(ADMIN_ROLE, GOVERNORS, 0, delay);
        if (delay == 0) revert LedgerAccessNoDelay(GOVERNORS);
    }

    /// @dev Adds the rule that an administrator has a delay; while the constructor runs, there is no code yet.
    function _grantRole(
        uint64 roleId,
        address account,
        uint32 grantDelay,
        uint32 executionDelay
    ) internal override returns (bool) {
        if (roleId == ADMIN_ROLE && executionDelay == 0 && address(this).code.length != 0) {
            revert LedgerAccessNoDelay(account);
        }
        return super._grantRole(roleId, account, grantDelay, executionDelay);
    }
}
