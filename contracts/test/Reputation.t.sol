// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import "../SystemAddresses.sol";
import {IReputation, ReputationSources} from "../interfaces/IReputation.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @dev What moves a score, and what becomes of it.
contract ReputationTest is LedgerTest {
    function _report(address subject, uint8 source, uint32 count) private {
        IReputation.Report[] memory reports = new IReputation.Report[](1);
        reports[0] = IReputation.Report(subject, source, count, KEY);
        vm.prank(SYSTEM_CALLER);
        reputation.record(reports);
    }

    function testOnlyTheLedgerReports() public {
        vm.prank(_governor(0));
        vm.expectRevert(
            abi.encodeWithSelector(IReputation.ReputationNotLedger.selector, _governor(0))
        );
        reputation.record(new IReputation.Report[](0));
    }

    function testEveryoneStartsNeutral() public view {
        _same(reputation.scoreOf(BOB), 500_000);
        _same(reputation.scoreOfEither(BOB, BOB_NATIVE), 500_000);
        _same(reputation.changesOf(BOB), 0);
        _same(reputation.history(BOB, 0, 10).length, 0);
    }

    function testADoubleSignerFallsAndTheScoreStaysWithinBounds() public {
        _report(BOB, ReputationSources.DOUBLE_SIGN, 1);
        _same(reputation.scoreOf(BOB), 100_000);
        _report(BOB, ReputationSources.LIGHT_CLIENT_ATTACK, 2);
        _same(reputation.scoreOf(BOB), 0);
        _govern(REPUTATION, abi.encodeCall(IReputation.setWeight, (9, 500_000)));
        require(reputation.weightOf(9) == 500_000, "weight");
        _report(BOB, 9, type(uint32).max);
        _same(reputation.scoreOf(BOB), 1_000_000);
        _same(reputation.scoreOf(CAROL), 500_000);
    }

    function testAScoreReturnsByHalves() public {
        _report(BOB, ReputationSources.DOUBLE_SIGN, 1);
        uint256 start = block.timestamp;
        vm.warp(start + 15 days);
        _same(reputation.scoreOf(BOB), 200_000);
        vm.warp(start + 30 days);
        _same(reputation.scoreOf(BOB), 300_000);
        vm.warp(start + 60 days);
        _same(reputation.scoreOf(BOB), 400_000);
        vm.warp(start + 10 * 365 days);
        _same(reputation.scoreOf(BOB), 500_000);
        _govern(REPUTATION, abi.encodeCall(IReputation.setWeight, (9, 100_000)));
        _report(BOB, 9, 1);
        vm.warp(block.timestamp + 30 days);
        _same(reputation.scoreOf(BOB), 550_000);
    }

    function testHistoryIsKept() public {
        _report(BOB, ReputationSources.MISSED_BLOCK, 50);
        vm.roll(2000);
        _report(BOB, ReputationSources.DOUBLE_SIGN, 1);
        _same(reputation.changesOf(BOB), 2);
        IReputation.Change[] memory list = reputation.history(BOB, 1, 10);
        _same(list.length, 1);
        _same(list[0].height, 2000);
        _same(list[0].time, block.timestamp);
        _same(list[0].source, 1);
        _same(list[0].count, 1);
        _same(list[0].before, 495_000);
        _same(list[0].afterwards, 95_000);
        _same(reputation.history(BOB, 0, 1)[0].count, 50);
        _same(reputation.history(BOB, 2, 1).length, 0);
    }

    function testTheLowerScoreOfTwoAddressesCounts() public {
        _report(BOB_NATIVE, ReputationSources.MISSED_BLOCK, 100);
        _same(reputation.scoreOfEither(BOB, BOB_NATIVE), 490_000);
        _report(BOB, ReputationSources.DOUBLE_SIGN, 1);
        _same(reputation.scoreOfEither(BOB, BOB_NATIVE), 100_000);
        _same(reputation.scoreOfEither(BOB_NATIVE, BOB), 100_000);
        _same(reputation.scoreOfEither(BOB, BOB), 100_000);
        _same(reputation.scoreOfEither(BOB, CAROL), 100_000);
    }

    function testSourcesAreKnownAndWeightsBounded() public {
        IReputation.Report[] memory reports = new IReputation.Report[](1);
        reports[0] = IReputation.Report(BOB, 77, 1, 0);
        vm.prank(SYSTEM_CALLER);
        vm.expectRevert(
            abi.encodeWithSelector(IReputation.ReputationUnknownSource.selector, 77)
        );
        reputation.record(reports);
        vm.prank(BOB);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, BOB)
        );
        reputation.setWeight(1, 0);
        int32[2] memory weights = [int32(500_001), -500_001];
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(_governor(0));
            bytes memory data = abi.encodeCall(IReputation.setWeight, (1, weights[i]));
            uint256 proposal = governors.propose(REPUTATION, data);
            for (uint160 g = 1; g < 3; ++g) {
                vm.prank(_governor(g));
                governors.approve(proposal);
            }
            governors.schedule(proposal);
            vm.warp(block.timestamp + DELAY);
            vm.expectRevert(
                abi.encodeWithSelector(
                    IReputation.ReputationInvalidWeight.selector,
                    int256(weights[i])
                )
            );
            governors.execute(proposal);
        }
    }

    function testFuzzAScoreMovesTowardsNeutralOnly(uint32 missed, uint40 first, uint40 more) public {
        _report(BOB, ReputationSources.MISSED_BLOCK, missed);
        uint256 start = block.timestamp;
        vm.warp(start + first);
        uint256 before = reputation.scoreOf(BOB);
        vm.warp(start + first + more);
        uint256 later = reputation.scoreOf(BOB);
        require(before <= later && later <= 500_000, "moved away");
    }
}
