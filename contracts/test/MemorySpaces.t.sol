// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import "../SystemAddresses.sol";
import {IMemoryRules, MemoryRights} from "../interfaces/IMemoryRules.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @dev What changes spaces and grants, and who may.
contract MemorySpacesTest is LedgerTest {
    function testASpaceIsMadeOnce() public {
        vm.expectEmit();
        bytes32 wanted = sha256(abi.encodePacked("metatron/space/shared/", ALICE, bytes32("salt")));
        emit IMemoryRules.SpaceCreated(wanted, ALICE, 0, address(0), MAX_ENTRIES, MAX_BYTES);
        bytes32 space = _space(address(0));
        _same(space, wanted);
        vm.prank(ALICE);
        vm.expectRevert(
            abi.encodeWithSelector(IMemoryRules.MemoryRulesSpaceExists.selector, space)
        );
        rules.createSpace("salt", 0, address(0), 1, 1);
    }

    function testTermsAreWithinTheLimits() public {
        vm.startPrank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IMemoryRules.MemoryRulesInvalidMode.selector, 2));
        rules.createSpace("a", 2, address(0), 1, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesQuotaAboveLimit.selector,
                MAX_ENTRIES + 1,
                MAX_ENTRIES
            )
        );
        rules.createSpace("a", 1, address(0), MAX_ENTRIES + 1, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesQuotaAboveLimit.selector,
                MAX_BYTES + 1,
                MAX_BYTES
            )
        );
        rules.createSpace("a", 1, address(0), 1, MAX_BYTES + 1);
        vm.stopPrank();
    }

    function testAnAdministratorUpdatesASpace() public {
        bytes32 space = _space(address(7));
        _grant(space, BOB, MemoryRights.ADMIN, 0);
        vm.prank(BOB);
        rules.updateSpace(space, 1, address(0), 7, 70);
        IMemoryRules.Space memory record = rules.spaceOf(space);
        _same(record.mode, 1);
        _same(record.policy, address(0));
        _same(record.maxEntries, 7);
        _same(record.maxBytes, 70);
        vm.prank(CAROL);
        vm.expectRevert(_notAdmin(space, CAROL, 0));
        rules.updateSpace(space, 1, address(0), 7, 70);
    }

    function _notAdmin(
        bytes32 space,
        address caller,
        uint256 held
    ) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesNotGranted.selector,
                space,
                caller,
                MemoryRights.ADMIN,
                held
            );
    }

    function testATransferVoidsAllGrants() public {
        bytes32 space = _space(address(0));
        _grant(space, CAROL, MemoryRights.WRITE, 0);
        vm.prank(BOB);
        vm.expectRevert(
            abi.encodeWithSelector(IMemoryRules.MemoryRulesNotOwner.selector, space, BOB)
        );
        rules.transferSpace(space, BOB);
        vm.prank(ALICE);
        vm.expectRevert(
            abi.encodeWithSelector(IMemoryRules.MemoryRulesInvalidAddress.selector, address(0))
        );
        rules.transferSpace(space, address(0));
        vm.prank(ALICE);
        rules.transferSpace(space, BOB);
        _same(rules.spaceOf(space).owner, BOB);
        _same(rules.grantOf(space, CAROL).rights, 0);
        _same(rules.rightsOf(space, CAROL), MemoryRights.READ);
        _put(space, CAROL, CAROL);
        _refuse(
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesNotGranted.selector,
                space,
                CAROL,
                MemoryRights.WRITE,
                MemoryRights.READ
            )
        );
        _put(space, BOB, BOB_NATIVE);
        _allow();
    }

    function testAPersonalSpaceIsNotTransferred() public {
        bytes32 space = rules.personalSpaceOf(BOB);
        vm.prank(BOB);
        vm.expectRevert(
            abi.encodeWithSelector(IMemoryRules.MemoryRulesPersonalSpace.selector, space)
        );
        rules.transferSpace(space, CAROL);
    }

    function testAnOwnerOfAPersonalSpaceGrantsBeforeItsFirstWrite() public {
        bytes32 space = rules.personalSpaceOf(BOB);
        vm.prank(BOB);
        rules.grant(space, CAROL, MemoryRights.WRITE, 0);
        require(rules.spaceOf(space).personal, "opened");
        _put(space, CAROL, CAROL);
        _allow();
    }

    function testUnknownSpacesAreNotChanged() public {
        vm.prank(BOB);
        vm.expectRevert(
            abi.encodeWithSelector(IMemoryRules.MemoryRulesUnknownSpace.selector, KEY)
        );
        rules.grant(KEY, CAROL, 1, 0);
        _same(rules.rightsOf(KEY, BOB), 0);
        _same(rules.spaceOf(KEY).owner, address(0));
    }

    function testNobodyGrantsToItself() public {
        bytes32 space = _space(address(0));
        _grant(space, BOB, MemoryRights.ADMIN, 0);
        vm.prank(BOB);
        vm.expectRevert(_selfGrant(space, BOB));
        rules.grant(space, BOB, MemoryRights.WRITE, 0);
        vm.prank(ALICE);
        vm.expectRevert(_selfGrant(space, ALICE));
        rules.grant(space, ALICE, MemoryRights.WRITE, 0);
        vm.prank(BOB);
        vm.expectRevert(_selfGrant(space, ALICE));
        rules.grant(space, ALICE, MemoryRights.WRITE, 0);
        _tx();
        _action(BOB, BOB_NATIVE, abi.encodeCall(IMemoryRules.grant, (space, BOB_NATIVE, 2, 0)));
        _refuse(_selfGrant(space, BOB_NATIVE));
    }

    function _selfGrant(bytes32 space, address subject) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IMemoryRules.MemoryRulesSelfGrant.selector, space, subject);
    }

    function testGrantsAreChecked() public {
        bytes32 space = _space(address(0));
        vm.startPrank(ALICE);
        vm.expectRevert(
            abi.encodeWithSelector(IMemoryRules.MemoryRulesInvalidAddress.selector, address(0))
        );
        rules.grant(space, address(0), 1, 0);
        uint256[2] memory rights = [uint256(0), 16];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IMemoryRules.MemoryRulesInvalidRights.selector, rights[i])
            );
            rules.grant(space, BOB, rights[i], 0);
        }
        uint256[2] memory expiries = [block.timestamp, uint256(1) << 40];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IMemoryRules.MemoryRulesInvalidExpiry.selector,
                    expiries[i]
                )
            );
            rules.grant(space, BOB, 1, expiries[i]);
        }
        rules.grant(space, BOB, 3, block.timestamp + 1);
        vm.stopPrank();
        IMemoryRules.Grant memory record = rules.grantOf(space, BOB);
        _same(record.rights, 3);
        _same(record.by, ALICE);
        _same(record.expiry, block.timestamp + 1);
        _same(rules.rightsOf(space, BOB), 3);
        vm.warp(block.timestamp + 1);
        _same(rules.rightsOf(space, BOB), 1);
    }

    function testOnlyAnOwnerMakesAndUnmakesAdministrators() public {
        bytes32 space = _space(address(0));
        _grant(space, BOB, MemoryRights.ADMIN, 0);
        bytes memory reason = abi.encodeWithSelector(
            IMemoryRules.MemoryRulesNotOwner.selector,
            space,
            BOB
        );
        vm.startPrank(BOB);
        rules.grant(space, CAROL, MemoryRights.WRITE, 0);
        vm.expectRevert(reason);
        rules.grant(space, CAROL, MemoryRights.ADMIN, 0);
        vm.stopPrank();
        _grant(space, CAROL, MemoryRights.ADMIN, 0);
        vm.startPrank(BOB);
        vm.expectRevert(reason);
        rules.grant(space, CAROL, MemoryRights.READ, 0);
        vm.expectRevert(reason);
        rules.revoke(space, CAROL);
        vm.stopPrank();
        vm.prank(ALICE);
        rules.revoke(space, CAROL);
        _same(rules.grantOf(space, CAROL).rights, 0);
    }

    function testAnyoneGivesUpItsOwnRights() public {
        bytes32 space = _space(address(0));
        _grant(space, BOB, MemoryRights.ADMIN, 0);
        vm.prank(BOB);
        rules.revoke(space, BOB);
        _same(rules.rightsOf(space, BOB), MemoryRights.READ);
        vm.prank(CAROL);
        vm.expectRevert(_notAdmin(space, CAROL, MemoryRights.READ));
        rules.revoke(space, BOB);
        vm.prank(CAROL);
        vm.expectRevert(_notAdmin(space, CAROL, MemoryRights.READ));
        rules.revoke(space, CAROL);
        vm.prank(CAROL);
        vm.expectRevert(_notAdmin(space, CAROL, MemoryRights.READ));
        rules.freeze(space);
    }

    function testGovernanceFreezesAndOnlyItThaws() public {
        bytes32 space = _space(address(0));
        _govern(MEMORY_RULES, abi.encodeCall(IMemoryRules.setFrozenByGovernors, (space, true)));
        vm.prank(ALICE);
        rules.unfreeze(space);
        require(rules.spaceOf(space).frozenByGovernors, "thawed");
        _govern(MEMORY_RULES, abi.encodeCall(IMemoryRules.setFrozenByGovernors, (space, false)));
        require(!rules.spaceOf(space).frozenByGovernors, "frozen");
        vm.prank(ALICE);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, ALICE)
        );
        rules.setFrozenByGovernors(space, true);
    }

    function testGovernanceSetsTheLimits() public {
        vm.prank(ALICE);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, ALICE)
        );
        rules.setLimits(1, 1);
        _govern(MEMORY_RULES, abi.encodeCall(IMemoryRules.setLimits, (5, 6)));
        (uint64 maxEntries, uint64 maxBytes) = rules.limits();
        _same(maxEntries, 5);
        _same(maxBytes, 6);
        _put(rules.personalSpaceOf(CAROL), CAROL, CAROL);
        _refuse(
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesTooManyBytes.selector,
                rules.personalSpaceOf(CAROL),
                6,
                100
            )
        );
    }

    /// The key 1: its point is the generator of secp256k1.
    bytes32 private constant X = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798;
    bytes32 private constant Y = 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8;

    function testLinkTiesTheTwoAddressesOfAKey() public {
        (address author, address account) = rules.link(X, Y);
        _same(author, 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf);
        // hash160 of the same key, compressed.
        _same(account, 0x751e76E8199196d454941c45d1b3A323F1433bd6);
        _same(rules.accountOf(author), account);
        _same(rules.accountOf(BOB), BOB);
        bytes32 space = _space(address(0));
        _grant(space, account, MemoryRights.WRITE, 0);
        _same(rules.rightsOf(space, author), 3);
        bytes32 own = rules.personalSpaceOf(account);
        vm.prank(author);
        rules.grant(own, BOB, MemoryRights.WRITE, 0);
        _same(rules.spaceOf(own).owner, account);
        vm.prank(author);
        vm.expectRevert(_selfGrant(own, account));
        rules.grant(own, account, MemoryRights.WRITE, 0);
    }

    function testLinkTakesAnOddPointToo() public {
        bytes32 field = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;
        bytes32 odd = bytes32(uint256(field) - uint256(Y));
        (, address account) = rules.link(X, odd);
        _same(account, address(ripemd160(abi.encodePacked(sha256(abi.encodePacked(uint8(3), X))))));
        _notAKey(X, bytes32(uint256(Y) + 1));
        _notAKey(field, Y);
        _notAKey(X, field);
    }

    function _notAKey(bytes32 x, bytes32 y) private {
        vm.expectRevert(
            abi.encodeWithSelector(IMemoryRules.MemoryRulesInvalidKey.selector, x, y)
        );
        rules.link(x, y);
    }

    /// @dev Whoever acts, in whatever order: nobody but the owner gains a right by its own act.
    function testFuzzRightsComeFromOthers(
        address caller,
        address subject,
        uint8 rights,
        uint40 expiry
    ) public {
        vm.assume(caller != ALICE && caller != MEMORY_RULES);
        bytes32 space = _space(address(0));
        uint256 before = rules.rightsOf(space, caller);
        vm.prank(caller);
        (bool done, ) = MEMORY_RULES.call(
            abi.encodeCall(IMemoryRules.grant, (space, subject, rights, expiry))
        );
        require(!done, "granted");
        _same(rules.rightsOf(space, caller), before);
    }
}
