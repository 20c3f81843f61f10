// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMemoryPolicy, MemoryOperation} from "../interfaces/IMemoryPolicy.sol";
import {SpacePolicy} from "./SpacePolicy.sol";

/**
 * @title A policy: of a list of accounts, some besides the author must sign the transaction.
 *
 * Accounts are named as the EVM knows them. Nothing that a contract writes is signed so.
 */
contract CoSignPolicy is SpacePolicy {
    /// @notice Longest list: that many are looked for within the gas of a policy.
    uint256 public constant MAX_COSIGNERS = 8;

    struct Setting {
        uint256 threshold;
        address[] cosigners;
    }

    mapping(bytes32 space => Setting setting) private _settings;

    /// @dev Empty, too long, not in ascending order without repeats, or a threshold that cannot be met.
    error CoSignInvalidSetting();
    /// @dev Too few of the list have signed.
    error CoSignTooFew(uint256 signed, uint256 threshold);

    event CoSignConfigured(bytes32 indexed space, uint256 threshold, address[] cosigners);

    /// @notice Sets who may co-sign for a space, in ascending order, and how many must.
    function configure(
        bytes32 space,
        uint256 threshold,
        address[] calldata cosigners
    ) external onlyAdmin(space) {
        if (threshold == 0 || threshold > cosigners.length || cosigners.length > MAX_COSIGNERS) {
            revert CoSignInvalidSetting();
        }
        address last = address(0);
        for (uint256 i = 0; i < cosigners.length; ++i) {
            if (cosigners[i] <= last) revert CoSignInvalidSetting();
            last = cosigners[i];
        }
        _settings[space] = Setting({threshold: threshold, cosigners: cosigners});
        emit CoSignConfigured(space, threshold, cosigners);
    }

    /// @inheritdoc IMemoryPolicy
    function check(MemoryOperation calldata operation) external view returns (bytes4) {
        Setting storage setting = _settings[operation.space];
        uint256 threshold = setting.threshold;
        if (threshold == 0) revert PolicyNotConfigured(operation.space);
        uint256 count = setting.cosigners.length;
        uint256 signed = 0;
        for (uint256 i = 0; i < count && signed < threshold; ++i) {
            address cosigner = setting.cosigners[i];
            if (cosigner == operation.author || cosigner == operation.account) continue;
            if (_contains(operation.signers, cosigner)) ++signed;
        }
        if (signed < threshold) revert CoSignTooFew(signed, threshold);
        return IMemoryPolicy.check.selector;
    }

    /// @notice Who may co-sign for a space and how many must; nobody and 0 if it was never set.
    function settingOf(
        bytes32 space
    ) external view returns (uint256 threshold, address[] memory cosigners) {
        Setting storage setting = _settings[space];
        return (setting.threshold, setting.cosigners);
    }

    function _contains(address[] calldata list, address wanted) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == wanted) return true;
        }
        return false;
    }
}
