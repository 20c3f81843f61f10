// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMemoryPolicy, MemoryOperation} from "../interfaces/IMemoryPolicy.sol";
import {SpacePolicy} from "./SpacePolicy.sol";

/// @title A policy: authors need a least reputation.
contract MinReputationPolicy is SpacePolicy {
    /// @dev One slot.
    struct Setting {
        uint32 least;
        bool configured;
    }

    mapping(bytes32 space => Setting setting) private _settings;

    /// @dev The author's reputation is too low.
    error MinReputationTooLow(address author, uint256 reputation, uint256 least);

    event MinReputationConfigured(bytes32 indexed space, uint32 least);

    /// @notice Sets the least reputation, 0 to 1,000,000, for a space.
    function configure(bytes32 space, uint32 least) external onlyAdmin(space) {
        _settings[space] = Setting({least: least, configured: true});
        emit MinReputationConfigured(space, least);
    }

    /// @inheritdoc IMemoryPolicy
    function check(MemoryOperation calldata operation) external view returns (bytes4) {
        Setting memory setting = _settings[operation.space];
        if (!setting.configured) revert PolicyNotConfigured(operation.space);
        if (operation.reputation < setting.least) {
            revert MinReputationTooLow(operation.author, operation.reputation, setting.least);
        }
        return IMemoryPolicy.check.selector;
    }

    /// @notice The least reputation for a space; 0 if it was never set.
    function settingOf(bytes32 space) external view returns (uint32) {
        return _settings[space].least;
    }
}
