// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import "../SystemAddresses.sol";
import {Governors} from "../access/Governors.sol";
import {IMemoryRules} from "../interfaces/IMemoryRules.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @dev Who governs: two thirds of the genesis list, after a delay, and nobody else.
contract GovernanceTest is LedgerTest {
    bytes private _call = abi.encodeCall(IMemoryRules.setLimits, (1, 2));

    function testOnlyTheGovernorsHoldARole() public view {
        (bool isMember, uint32 delay) = access.hasRole(0, GOVERNORS);
        require(isMember, "governors");
        _same(delay, DELAY);
        address[12] memory others = [
            SYSTEM_CALLER,
            LEDGER_ACCESS,
            MEMORY_RULES,
            REPUTATION,
            AUDIT_LOG,
            LEDGER,
            _governor(0),
            _governor(1),
            _governor(2),
            _governor(3),
            ALICE,
            address(this)
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            for (uint64 role = 0; role < 20; ++role) {
                (bool holds, ) = access.hasRole(role, others[i]);
                require(!holds, "another holds a role");
            }
        }
    }

    function testFuzzNobodyElseHoldsARole(address account, uint64 role) public view {
        if (role == type(uint64).max || account == GOVERNORS) return;
        (bool holds, ) = access.hasRole(role, account);
        require(!holds, "another holds a role");
    }

    function testFuzzNobodyGrantsItselfARole(address caller, uint64 role) public {
        if (caller == GOVERNORS || caller == LEDGER_ACCESS) return;
        vm.prank(caller);
        (bool done, ) = LEDGER_ACCESS.call(
            abi.encodeCall(IAccessManager.grantRole, (role, caller, 0))
        );
        require(!done, "granted");
    }

    function testTwoThirdsDecideAfterTheDelay() public {
        _same(governors.needed(), 3);
        vm.prank(_governor(0));
        uint256 proposal = governors.propose(MEMORY_RULES, _call);
        vm.prank(_governor(1));
        governors.approve(proposal);
        vm.expectRevert(_tooFew(proposal, 2));
        governors.schedule(proposal);
        vm.prank(_governor(2));
        governors.approve(proposal);
        vm.expectRevert();
        governors.execute(proposal);
        governors.schedule(proposal);
        vm.warp(block.timestamp + DELAY - 1);
        vm.expectRevert();
        governors.execute(proposal);
        vm.warp(block.timestamp + 1);
        governors.execute(proposal);
        (uint64 maxEntries, ) = rules.limits();
        _same(maxEntries, 1);
        vm.expectRevert();
        governors.execute(proposal);
    }

    function _tooFew(uint256 proposal, uint256 approvals) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                Governors.GovernorsTooFewApprovals.selector,
                proposal,
                approvals,
                3
            );
    }

    function testAWithdrawnApprovalStopsWhatIsScheduled() public {
        vm.prank(_governor(0));
        uint256 proposal = governors.propose(MEMORY_RULES, _call);
        for (uint160 i = 1; i < 3; ++i) {
            vm.prank(_governor(i));
            governors.approve(proposal);
        }
        governors.schedule(proposal);
        vm.warp(block.timestamp + DELAY);
        vm.prank(_governor(1));
        governors.withdraw(proposal);
        vm.expectRevert(_tooFew(proposal, 2));
        governors.execute(proposal);
        vm.prank(_governor(1));
        vm.expectRevert(
            abi.encodeWithSelector(
                Governors.GovernorsNotApproved.selector,
                proposal,
                _governor(1)
            )
        );
        governors.withdraw(proposal);
        vm.prank(_governor(3));
        governors.approve(proposal);
        governors.execute(proposal);
    }

    function testOnlyMembersSpeak() public {
        bytes memory reason = abi.encodeWithSelector(
            Governors.GovernorsNotMember.selector,
            address(this)
        );
        vm.expectRevert(reason);
        governors.propose(MEMORY_RULES, _call);
        vm.prank(_governor(0));
        uint256 proposal = governors.propose(MEMORY_RULES, _call);
        vm.expectRevert(reason);
        governors.approve(proposal);
        vm.expectRevert(reason);
        governors.withdraw(proposal);
        vm.prank(_governor(0));
        vm.expectRevert(
            abi.encodeWithSelector(
                Governors.GovernorsAlreadyApproved.selector,
                proposal,
                _governor(0)
            )
        );
        governors.approve(proposal);
        vm.prank(_governor(0));
        vm.expectRevert(abi.encodeWithSelector(Governors.GovernorsUnknownProposal.selector, 1));
        governors.approve(1);
        _same(governors.proposals(), 1);
        _same(governors.proposalAt(0).target, MEMORY_RULES);
        _same(governors.proposalAt(0).approvals, 1);
    }

    function testNewMembersVoidOldProposals() public {
        vm.prank(_governor(3));
        uint256 proposal = governors.propose(MEMORY_RULES, _call);
        address[] memory members = new address[](1);
        members[0] = _governor(3);
        _govern(GOVERNORS, abi.encodeCall(Governors.setMembers, (members)));
        _same(governors.members().length, 1);
        _same(governors.needed(), 1);
        require(!governors.isMember(_governor(0)), "still a member");
        bytes memory reason = abi.encodeWithSelector(
            Governors.GovernorsVoidProposal.selector,
            proposal
        );
        vm.expectRevert(reason);
        governors.schedule(proposal);
        vm.prank(_governor(3));
        vm.expectRevert(reason);
        governors.approve(proposal);
    }

    function testMembersAreAListWithoutRepeats() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessManaged.AccessManagedUnauthorized.selector,
                address(this)
            )
        );
        governors.setMembers(new address[](1));
        address[] memory list = new address[](2);
        bytes memory reason = abi.encodePacked(Governors.GovernorsInvalidMembers.selector);
        vm.expectRevert(reason);
        new Governors(list);
        (list[0], list[1]) = (BOB, BOB);
        vm.expectRevert(reason);
        new Governors(list);
        vm.expectRevert(reason);
        new Governors(new address[](0));
        vm.expectRevert(reason);
        new Governors(new address[](101));
    }

    function testFuzzNeededIsTwoThirdsRoundedUp(uint8 seed) public {
        uint256 count = 1 + (uint256(seed) % 100);
        address[] memory list = new address[](count);
        for (uint160 i = 0; i < count; ++i) list[i] = address(i + 1);
        uint256 needed = new Governors(list).needed();
        require(3 * needed >= 2 * count && 3 * (needed - 1) < 2 * count, "two thirds");
    }

    function testAnAdministratorAlwaysHasADelay() public {
        _govern(LEDGER_ACCESS, abi.encodeCall(IAccessManager.grantRole, (0, CAROL, 0)));
        (bool isMember, uint32 delay) = access.hasRole(0, CAROL);
        require(isMember, "no member");
        _same(delay, 1);
        vm.prank(CAROL);
        vm.expectRevert();
        access.grantRole(5, CAROL, 0);
        _govern(LEDGER_ACCESS, abi.encodeCall(IAccessManager.grantRole, (5, BOB, 0)));
        (isMember, delay) = access.hasRole(5, BOB);
        require(isMember && delay == 0, "another role may be without");
    }
}
