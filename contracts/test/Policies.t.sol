// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "../SystemAddresses.sol";
import {IMemoryRules, MemoryRights} from "../interfaces/IMemoryRules.sol";
import {IReputation} from "../interfaces/IReputation.sol";
import {CoSignPolicy} from "../policies/CoSignPolicy.sol";
import {MinReputationPolicy} from "../policies/MinReputationPolicy.sol";
import {RateLimitPolicy} from "../policies/RateLimitPolicy.sol";
import {SpacePolicy} from "../policies/SpacePolicy.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @dev The ledger's own policies.
contract PoliciesTest is LedgerTest {
    MinReputationPolicy private constant minReputation = MinReputationPolicy(MIN_REPUTATION_POLICY);
    RateLimitPolicy private constant rateLimit = RateLimitPolicy(RATE_LIMIT_POLICY);
    CoSignPolicy private constant coSign = CoSignPolicy(CO_SIGN_POLICY);

    function _refusedBy(bytes32 space, bytes memory inner) private {
        _refuse(_reason(space, inner));
    }

    function _reason(bytes32 space, bytes memory inner) private view returns (bytes memory) {
        address policy = rules.spaceOf(space).policy;
        return
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesPolicyRefused.selector,
                space,
                policy,
                inner
            );
    }

    function testASpaceThatWasNotSetAllowsNothing() public {
        address[3] memory policies = [MIN_REPUTATION_POLICY, RATE_LIMIT_POLICY, CO_SIGN_POLICY];
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 space = _space(bytes32(i), policies[i], 0);
            _put(space, ALICE, ALICE_NATIVE);
            _refusedBy(
                space,
                abi.encodeWithSelector(SpacePolicy.PolicyNotConfigured.selector, space)
            );
        }
    }

    function testOnlyAdministratorsSet() public {
        bytes32 space = _space(address(0));
        _grant(space, BOB, MemoryRights.WRITE | MemoryRights.CURATE, 0);
        bytes memory reason = abi.encodeWithSelector(
            SpacePolicy.PolicyNotAdmin.selector,
            space,
            BOB
        );
        vm.startPrank(BOB);
        vm.expectRevert(reason);
        minReputation.configure(space, 1);
        vm.expectRevert(reason);
        rateLimit.configure(space, RateLimitPolicy.Setting(1, 1, 1, 1));
        vm.expectRevert(reason);
        coSign.configure(space, 1, new address[](1));
        vm.stopPrank();
    }

    function testAnAuthorNeedsTheLeastReputation() public {
        bytes32 space = _space(MIN_REPUTATION_POLICY);
        vm.prank(ALICE);
        minReputation.configure(space, 500_000);
        _same(minReputation.settingOf(space), 500_000);
        _put(space, ALICE, ALICE_NATIVE);
        _allow();
        IReputation.Report[] memory reports = new IReputation.Report[](1);
        reports[0] = IReputation.Report(ALICE_NATIVE, 3, 10, 0);
        vm.prank(SYSTEM_CALLER);
        reputation.record(reports);
        _put(space, ALICE, ALICE_NATIVE);
        _refusedBy(
            space,
            abi.encodeWithSelector(
                MinReputationPolicy.MinReputationTooLow.selector,
                ALICE,
                499_000,
                500_000
            )
        );
    }

    function testRatesAreLimited() public {
        vm.warp(1_800_000_000 - (1_800_000_000 % 1 days));
        bytes32 space = _space(RATE_LIMIT_POLICY);
        RateLimitPolicy.Setting memory setting = RateLimitPolicy.Setting(3, 5, 450, 1000);
        vm.prank(ALICE);
        rateLimit.configure(space, setting);
        _same(rateLimit.settingOf(space).dayBytes, 1000);
        for (uint256 i = 0; i < 3; ++i) _put(space, ALICE, ALICE_NATIVE);
        _allow();
        _put(space, ALICE, ALICE_NATIVE);
        _refusedBy(space, _tooMany(1 hours, 3));
        vm.warp(block.timestamp + 1 hours);
        _put(space, ALICE, ALICE_NATIVE);
        _put(space, ALICE, ALICE_NATIVE);
        _allow();
        _put(space, ALICE, ALICE_NATIVE);
        _refusedBy(space, _tooMany(1 days, 5));
        vm.warp(block.timestamp + 1 days);
        _tx();
        _step(space, ALICE, ALICE_NATIVE);
        _op(1, 450);
        _allow();
        _put(space, ALICE, ALICE_NATIVE);
        _refusedBy(space, _tooMuch(1 hours, 450));
        vm.prank(ALICE);
        rateLimit.configure(space, RateLimitPolicy.Setting(9, 9, 9000, 500));
        _put(space, ALICE, ALICE_NATIVE);
        _refusedBy(space, _tooMuch(1 days, 500));
    }

    function _tooMany(uint256 period, uint256 limit) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                RateLimitPolicy.RateLimitTooManyWrites.selector,
                ALICE,
                period,
                limit
            );
    }

    function _tooMuch(uint256 period, uint256 limit) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                RateLimitPolicy.RateLimitTooManyBytes.selector,
                ALICE,
                period,
                limit
            );
    }

    function testOthersMustSign() public {
        bytes32 space = _space(CO_SIGN_POLICY);
        address[] memory list = new address[](3);
        (list[0], list[1], list[2]) = (BOB, ALICE, CAROL);
        vm.prank(ALICE);
        coSign.configure(space, 2, list);
        (uint256 threshold, address[] memory cosigners) = coSign.settingOf(space);
        _same(threshold + cosigners.length, 5);
        _put(space, ALICE, ALICE_NATIVE);
        _signer(ALICE);
        _signer(CAROL);
        _refusedBy(space, abi.encodeWithSelector(CoSignPolicy.CoSignTooFew.selector, 1, 2));
        _put(space, ALICE, ALICE_NATIVE);
        _signer(ALICE);
        _signer(CAROL);
        _signer(BOB);
        _allow();
        _put(space, ALICE, ALICE_NATIVE);
        _refusedBy(space, abi.encodeWithSelector(CoSignPolicy.CoSignTooFew.selector, 0, 2));
    }

    function testTheLongestListFitsInAPolicysGas() public {
        bytes32 space = _space(CO_SIGN_POLICY);
        address[] memory list = new address[](8);
        for (uint160 i = 0; i < 8; ++i) list[i] = address(0x9000 + i);
        vm.prank(ALICE);
        coSign.configure(space, 8, list);
        _put(space, ALICE, ALICE_NATIVE);
        for (uint160 i = 0; i < 8; ++i) _signer(address(0x9000 + 7 - i));
        _allow();
    }

    function testSettingsThatCannotBeMetAreRefused() public {
        bytes32 space = _space(CO_SIGN_POLICY);
        address[] memory list = new address[](2);
        (list[0], list[1]) = (BOB, BOB);
        bytes memory reason = abi.encodePacked(CoSignPolicy.CoSignInvalidSetting.selector);
        vm.startPrank(ALICE);
        vm.expectRevert(reason);
        coSign.configure(space, 1, list);
        vm.expectRevert(reason);
        coSign.configure(space, 0, list);
        vm.expectRevert(reason);
        coSign.configure(space, 3, list);
        vm.expectRevert(reason);
        coSign.configure(space, 1, new address[](9));
        vm.stopPrank();
    }
}
