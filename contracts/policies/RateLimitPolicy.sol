// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMemoryPolicy, MemoryOperation} from "../interfaces/IMemoryPolicy.sol";
import {SpacePolicy} from "./SpacePolicy.sol";

/**
 * @title A policy: most operations and bytes of an author in an hour and in a day.
 *
 * Hours and days are those of the calendar (block time, UTC), so around the turn of one an author can use what
 * two of them allow.
 */
contract RateLimitPolicy is SpacePolicy {
    /// @dev One slot. All zero: never set.
    struct Setting {
        uint32 hourWrites;
        uint32 dayWrites;
        uint64 hourBytes;
        uint64 dayBytes;
    }

    mapping(bytes32 space => Setting setting) private _settings;

    /// @dev More operations than a period allows.
    error RateLimitTooManyWrites(address author, uint256 period, uint256 limit);
    /// @dev More bytes than a period allows.
    error RateLimitTooManyBytes(address author, uint256 period, uint256 limit);

    event RateLimitConfigured(
        bytes32 indexed space,
        uint32 hourWrites,
        uint32 dayWrites,
        uint64 hourBytes,
        uint64 dayBytes
    );

    /// @notice Sets what an author may do in a space in an hour and in a day.
    function configure(bytes32 space, Setting calldata setting) external onlyAdmin(space) {
        _settings[space] = setting;
        emit RateLimitConfigured(
            space,
            setting.hourWrites,
            setting.dayWrites,
            setting.hourBytes,
            setting.dayBytes
        );
    }

    /// @inheritdoc IMemoryPolicy
    function check(MemoryOperation calldata operation) external view returns (bytes4) {
        Setting memory setting = _settings[operation.space];
        if (setting.hourWrites == 0) revert PolicyNotConfigured(operation.space);
        address author = operation.author;
        if (operation.writesThisHour >= setting.hourWrites) {
            revert RateLimitTooManyWrites(author, 1 hours, setting.hourWrites);
        }
        if (operation.writesThisDay >= setting.dayWrites) {
            revert RateLimitTooManyWrites(author, 1 days, setting.dayWrites);
        }
        if (operation.bytesThisHour + operation.size > setting.hourBytes) {
            revert RateLimitTooManyBytes(author, 1 hours, setting.hourBytes);
        }
        if (operation.bytesThisDay + operation.size > setting.dayBytes) {
            revert RateLimitTooManyBytes(author, 1 days, setting.dayBytes);
        }
        return IMemoryPolicy.check.selector;
    }

    /// @notice What an author may do in a space; all 0 if it was never set.
    function settingOf(bytes32 space) external view returns (Setting memory) {
        return _settings[space];
    }
}
