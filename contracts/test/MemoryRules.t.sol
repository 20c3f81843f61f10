// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "../SystemAddresses.sol";
import {MemoryOperation} from "../interfaces/IMemoryPolicy.sol";
import {IMemoryRules, MemoryRights} from "../interfaces/IMemoryRules.sol";
import {LedgerTest} from "./LedgerTest.sol";
import "./Policies.sol";

/// @dev How batches are decided.
contract MemoryRulesTest is LedgerTest {
    function testOnlyTheLedgerDecides() public {
        _put(_space(address(0)), ALICE, ALICE_NATIVE);
        bytes memory data = _batch();
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IMemoryRules.MemoryRulesNotLedger.selector, ALICE));
        (bool done, ) = MEMORY_RULES.call(data);
        done;
        vm.expectRevert(
            abi.encodeWithSelector(IMemoryRules.MemoryRulesNotLedger.selector, address(this))
        );
        rules.decideOne(ALICE, KEY, 1, 1, KEY, CONTENT);
    }

    function testAnEmptyBatchIsDecided() public {
        (uint256[] memory verdicts, bytes[] memory reasons) = _decide();
        _same(verdicts.length + reasons.length, 0);
    }

    function testAnOwnerWritesUnderEitherAddress() public {
        bytes32 space = _space(address(0));
        _put(space, ALICE, ALICE_NATIVE);
        _put(space, BOB, ALICE);
        _allow();
        IMemoryRules.Space memory record = rules.spaceOf(space);
        _same(record.entries, 2);
        _same(record.size, 200);
    }

    function testAPersonalSpaceComesToBeWithTheFirstWrite() public {
        bytes32 space = rules.personalSpaceOf(BOB_NATIVE);
        _put(space, BOB, BOB_NATIVE);
        _put(space, BOB, BOB_NATIVE);
        _allow();
        IMemoryRules.Space memory record = rules.spaceOf(space);
        _same(record.owner, BOB_NATIVE);
        _same(record.createdHeight, 1000);
        _same(record.personal ? 1 : 0, 1);
        _same(record.maxEntries, MAX_ENTRIES);
        _same(record.maxBytes, MAX_BYTES);
        _same(record.entries, 2);
    }

    function testNobodyElseOpensOrWritesAPersonalSpace() public {
        bytes32 space = rules.personalSpaceOf(BOB_NATIVE);
        _put(space, ALICE, ALICE_NATIVE);
        _refuse(abi.encodeWithSelector(IMemoryRules.MemoryRulesUnknownSpace.selector, space));
        _put(space, BOB, BOB_NATIVE);
        _allow();
        _put(space, ALICE, ALICE_NATIVE);
        _refuse(
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesNotGranted.selector,
                space,
                ALICE,
                MemoryRights.WRITE,
                MemoryRights.READ
            )
        );
    }

    function testARefusedFirstWriteLeavesNoPersonalSpace() public {
        bytes32 space = rules.personalSpaceOf(BOB_NATIVE);
        _tx();
        _step(space, BOB, BOB_NATIVE);
        _op(1, uint256(MAX_BYTES) + 1);
        _refuse(
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesTooManyBytes.selector,
                space,
                MAX_BYTES,
                uint256(MAX_BYTES) + 1
            )
        );
        _same(rules.spaceOf(space).owner, address(0));
    }

    function testEachKindNeedsItsRight() public {
        uint256[7] memory needed = [
            MemoryRights.WRITE,
            MemoryRights.WRITE,
            MemoryRights.CURATE,
            MemoryRights.CURATE,
            MemoryRights.CURATE,
            MemoryRights.ADMIN,
            MemoryRights.READ
        ];
        bytes32 space = _space("sealed", address(0), 1);
        for (uint256 kind = 1; kind <= 7; ++kind) {
            for (uint256 bit = 1; bit <= 8; bit <<= 1) {
                _grant(space, BOB, bit, 0);
                _tx();
                _step(space, BOB, BOB_NATIVE);
                _op(kind, 1);
                if (bit == needed[kind - 1]) {
                    _allow();
                } else {
                    _refuse(_notGranted(space, BOB, needed[kind - 1], bit));
                }
            }
        }
    }

    function _notGranted(
        bytes32 space,
        address author,
        uint256 needed,
        uint256 held
    ) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesNotGranted.selector,
                space,
                author,
                needed,
                held
            );
    }

    function testEveryoneReadsAPublicSpace() public {
        bytes32 space = _space(address(0));
        _tx();
        _step(space, BOB, BOB_NATIVE);
        _op(7, 1);
        _allow();
    }

    function testGrantsOfBothAddressesCountTogether() public {
        bytes32 space = _space(address(0));
        _grant(space, BOB, MemoryRights.WRITE, 0);
        _tx();
        _step(space, BOB, BOB_NATIVE);
        _op(1, 1);
        _op(5, 1);
        _refuse(_notGranted(space, BOB, 6, 3));
        _grant(space, BOB_NATIVE, MemoryRights.CURATE, 0);
        _tx();
        _step(space, BOB, BOB_NATIVE);
        _op(1, 1);
        _op(5, 1);
        _allow();
        _put(space, CAROL, BOB);
        _allow();
    }

    function testAGrantExpiresAtItsTime() public {
        bytes32 space = _space(address(0));
        uint256 expiry = block.timestamp + 10;
        _grant(space, BOB, MemoryRights.WRITE, expiry);
        _grant(space, BOB_NATIVE, MemoryRights.WRITE, expiry + 1);
        vm.warp(expiry - 1);
        _put(space, BOB, BOB);
        _allow();
        vm.warp(expiry);
        _put(space, BOB, BOB);
        _refuse(
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesGrantExpired.selector,
                space,
                BOB,
                expiry
            )
        );
        _put(space, BOB, BOB_NATIVE);
        _allow();
        vm.warp(expiry + 1);
        _put(space, BOB, BOB_NATIVE);
        _refuse(
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesGrantExpired.selector,
                space,
                BOB,
                expiry + 1
            )
        );
    }

    function testAFrozenSpaceTakesNothing() public {
        bytes32 space = _space(address(0));
        vm.prank(ALICE);
        rules.freeze(space);
        _put(space, ALICE, ALICE_NATIVE);
        _refuse(abi.encodeWithSelector(IMemoryRules.MemoryRulesFrozen.selector, space, false));
        vm.prank(ALICE);
        rules.unfreeze(space);
        _put(space, ALICE, ALICE_NATIVE);
        _allow();
        _govern(MEMORY_RULES, abi.encodeCall(IMemoryRules.setFrozenByGovernors, (space, true)));
        _put(space, ALICE, ALICE_NATIVE);
        _refuse(abi.encodeWithSelector(IMemoryRules.MemoryRulesFrozen.selector, space, true));
    }

    function testQuotasCountWhatATransactionAdds() public {
        vm.prank(ALICE);
        bytes32 space = rules.createSpace("small", 0, address(0), 3, 100);
        _tx();
        _step(space, ALICE, ALICE_NATIVE);
        for (uint256 i = 0; i < 4; ++i) _op(1, 1);
        _refuse(
            abi.encodeWithSelector(IMemoryRules.MemoryRulesTooManyEntries.selector, space, 3, 4)
        );
        _tx();
        _step(space, ALICE, ALICE_NATIVE);
        _op(1, 101);
        _refuse(
            abi.encodeWithSelector(IMemoryRules.MemoryRulesTooManyBytes.selector, space, 100, 101)
        );
        _tx();
        _step(space, ALICE, ALICE_NATIVE);
        _op(1, 50);
        _op(2, 50);
        _op(4, 0);
        _allow();
        _same(rules.spaceOf(space).entries, 2);
        _same(rules.spaceOf(space).size, 100);
    }

    function testARefusalLeavesTheOthersOfABatchAlone() public {
        bytes32 space = _space(address(0));
        _put(space, ALICE, ALICE_NATIVE);
        _put(space, BOB, BOB_NATIVE);
        _put(KEY, ALICE, ALICE_NATIVE);
        _put(space, ALICE, ALICE_NATIVE);
        (uint256[] memory verdicts, bytes[] memory reasons) = _decide();
        _same(verdicts.length, 4);
        _same(verdicts[0], 0);
        _same(verdicts[1], 1 << 64);
        _same(verdicts[2], 1 << 64);
        _same(verdicts[3], 0);
        _same(reasons.length, 2);
        _same(bytes32(bytes4(reasons[0])), IMemoryRules.MemoryRulesNotGranted.selector);
        _same(bytes32(bytes4(reasons[1])), IMemoryRules.MemoryRulesUnknownSpace.selector);
        _same(rules.spaceOf(space).entries, 2);
    }

    function testATransactionOfSeveralStepsIsAllOrNothing() public {
        bytes32 space = _space(address(0));
        bytes32 other = _space("other", address(new ErrorPolicy()), 0);
        _tx();
        _step(space, ALICE, ALICE_NATIVE);
        _op(1, 1);
        _step(rules.personalSpaceOf(ALICE_NATIVE), ALICE, ALICE_NATIVE);
        _op(1, 1);
        _step(other, ALICE, ALICE_NATIVE);
        _op(1, 1);
        (uint256[] memory verdicts, ) = _decide();
        _same(uint32(verdicts[0] >> 64), 3);
        require(uint64(verdicts[0]) > 0, "a refusing policy's gas counts");
        _same(rules.spaceOf(space).entries, 0);
        _same(rules.spaceOf(rules.personalSpaceOf(ALICE_NATIVE)).owner, address(0));
        _tx();
        _step(space, ALICE, ALICE_NATIVE);
        _op(1, 1);
        _step(space, BOB, ALICE);
        _op(1, 1);
        _allow();
        _same(rules.spaceOf(space).entries, 2);
    }

    function testActionsAndOperationsMixInOrder() public {
        vm.prank(BOB);
        bytes32 space = sha256(abi.encodePacked("metatron/space/shared/", BOB, KEY));
        _tx();
        _action(
            BOB,
            BOB_NATIVE,
            abi.encodeCall(IMemoryRules.createSpace, (KEY, 0, address(0), 5, 500))
        );
        _step(space, BOB, BOB_NATIVE);
        _op(1, 1);
        _action(BOB, BOB_NATIVE, abi.encodeCall(IMemoryRules.grant, (space, CAROL, 2, 0)));
        _step(space, CAROL, CAROL);
        _op(1, 1);
        _action(BOB, BOB_NATIVE, abi.encodeCall(IMemoryRules.revoke, (space, CAROL)));
        _allow();
        _same(rules.spaceOf(space).entries, 2);
        _same(rules.grantOf(space, CAROL).rights, 0);
        _tx();
        _action(BOB, BOB_NATIVE, abi.encodeCall(IMemoryRules.freeze, (space)));
        _step(space, BOB, BOB_NATIVE);
        _op(1, 1);
        _refuse(
            abi.encodeWithSelector(IMemoryRules.MemoryRulesFrozen.selector, space, false),
            1,
            0
        );
        require(!rules.spaceOf(space).frozen, "undone");
    }

    function testAnActionRefusedTellsWhy() public {
        bytes32 space = _space(address(0));
        _tx();
        _action(BOB, BOB_NATIVE, abi.encodeCall(IMemoryRules.transferSpace, (space, BOB)));
        _refuse(abi.encodeWithSelector(IMemoryRules.MemoryRulesNotOwner.selector, space, BOB));
    }

    function testActionsAreOfAFewKinds() public {
        bytes memory reason = abi.encodePacked(IMemoryRules.MemoryRulesInvalidAction.selector);
        bytes[4] memory bad = [
            abi.encodeCall(IMemoryRules.setLimits, (1, 1)),
            bytes(""),
            bytes(hex"0102"),
            abi.encodePacked(IMemoryRules.updateSpace.selector, KEY, type(uint256).max)
        ];
        for (uint256 i = 0; i < bad.length; ++i) {
            _tx();
            _action(ALICE, ALICE_NATIVE, bad[i]);
            _refuse(reason);
        }
        bytes32 space = _space(address(0));
        _tx();
        _action(
            ALICE,
            ALICE_NATIVE,
            abi.encodeCall(IMemoryRules.updateSpace, (space, 1, address(0), 1, 1))
        );
        _action(ALICE, ALICE_NATIVE, abi.encodeCall(IMemoryRules.freeze, (space)));
        _action(ALICE, ALICE_NATIVE, abi.encodeCall(IMemoryRules.unfreeze, (space)));
        _action(ALICE, ALICE_NATIVE, abi.encodeCall(IMemoryRules.transferSpace, (space, BOB)));
        _allow();
        _same(rules.spaceOf(space).owner, BOB);
    }

    function testAMalformedBatchIsRefusedWhole() public {
        bytes32 space = _space(address(0));
        IMemoryRules.Transaction[] memory txs = new IMemoryRules.Transaction[](1);
        IMemoryRules.Step[] memory steps = new IMemoryRules.Step[](1);
        IMemoryRules.Operation[] memory operations = new IMemoryRules.Operation[](1);
        steps[0] = IMemoryRules.Step(space, ALICE, ALICE, 2, 1, 1, 1);
        txs[0] = IMemoryRules.Transaction(0, 1, 0, 0);
        _malformed(txs, steps, operations, new bytes[](1));
        _malformed(txs, steps, new IMemoryRules.Operation[](0), new bytes[](0));
        _malformed(txs, steps, new IMemoryRules.Operation[](2), new bytes[](0));
        _malformed(txs, new IMemoryRules.Step[](0), operations, new bytes[](0));
        _malformed(txs, new IMemoryRules.Step[](2), operations, new bytes[](0));
        _malformed(new IMemoryRules.Transaction[](0), steps, operations, new bytes[](0));
        txs[0].steps = 2;
        _malformed(txs, steps, operations, new bytes[](0));
        txs[0].steps = 1;
        txs[0].actions = 1;
        _malformed(txs, steps, operations, new bytes[](0));
        _malformed(txs, steps, operations, new bytes[](1));
        txs[0] = IMemoryRules.Transaction(0, 1, 1, 0);
        steps[0].space = _space("policy", address(new PickyPolicy()), 0);
        _malformed(txs, steps, operations, new bytes[](0));
        txs[0].signers = 0;
        steps[0].operations = 0;
        _malformed(txs, steps, new IMemoryRules.Operation[](0), new bytes[](0));
        steps[0] = IMemoryRules.Step(space, BOB, BOB, 0, 1, 1, 1);
        _malformed(txs, steps, operations, new bytes[](0));
        steps[0].kinds = 1;
        _malformed(txs, steps, operations, new bytes[](0));
    }

    function _malformed(
        IMemoryRules.Transaction[] memory txs,
        IMemoryRules.Step[] memory steps,
        IMemoryRules.Operation[] memory operations,
        bytes[] memory actions
    ) private {
        vm.prank(SYSTEM_CALLER);
        vm.expectRevert(abi.encodePacked(IMemoryRules.MemoryRulesMalformedBatch.selector));
        rules.decide(txs, steps, operations, new address[](0), actions);
    }

    function testOnlyTheRulesOpenAFrame() public {
        vm.expectRevert(
            abi.encodeWithSelector(IMemoryRules.MemoryRulesNotLedger.selector, address(this))
        );
        (bool done, ) = MEMORY_RULES.call(
            abi.encodeWithSelector(rules.decideFrame.selector, 0x20, 0, 0, 0, 0, 0)
        );
        done;
    }

    // ------------------------------------------------------------------ policies

    function testAPolicyIsToldTheFacts() public {
        address[] memory signers = new address[](2);
        signers[0] = BOB;
        signers[1] = CAROL;
        bytes32 space = sha256(abi.encodePacked("metatron/space/shared/", ALICE, bytes32("told")));
        MemoryOperation memory operation = MemoryOperation({
            space: space,
            author: ALICE,
            account: ALICE_NATIVE,
            kind: 2,
            size: 77,
            keyHash: KEY,
            contentHash: CONTENT,
            height: 1000,
            time: 1_800_000_000,
            reputation: 500_000,
            writesThisHour: 0,
            bytesThisHour: 0,
            writesThisDay: 0,
            bytesThisDay: 0,
            signers: signers
        });
        address policy = address(new TellingPolicy(keccak256(abi.encode(operation))));
        _same(_space("told", policy, 0), space);
        _tx();
        _signer(BOB);
        _signer(CAROL);
        _step(space, ALICE, ALICE_NATIVE);
        _op(2, 77);
        _allow();
    }

    function testWindowsCountOperationsOfTheHourAndDay() public {
        vm.warp(1_800_000_000 - (1_800_000_000 % 1 days));
        bytes32 space = _space(address(new PickyPolicy()));
        _tx();
        _step(space, ALICE, ALICE_NATIVE);
        _op(1, 10);
        _op(1, 20);
        _op(1, 13);
        (uint256[] memory verdicts, bytes[] memory reasons) = _decide();
        _same(verdicts[0] >> 64, 1 | (2 << 32));
        bytes memory inner = abi.encodeWithSelector(PickyPolicy.Enough.selector, 2, 30);
        _same(
            keccak256(reasons[0]),
            keccak256(
                abi.encodeWithSelector(
                    IMemoryRules.MemoryRulesPolicyRefused.selector,
                    space,
                    rules.spaceOf(space).policy,
                    inner
                )
            )
        );
        _window(space, 0, 0, 0, 0);
        _put(space, ALICE, ALICE_NATIVE);
        _put(space, ALICE, ALICE_NATIVE);
        _allow();
        _window(space, 2, 200, 2, 200);
        vm.warp(block.timestamp + 1 hours);
        _window(space, 0, 0, 2, 200);
        _put(space, ALICE, ALICE_NATIVE);
        _allow();
        _window(space, 1, 100, 3, 300);
        vm.warp(block.timestamp + 1 days);
        _window(space, 0, 0, 0, 0);
    }

    function _window(bytes32 space, uint256 a, uint256 b, uint256 c, uint256 d) private view {
        (uint256 e, uint256 f, uint256 g, uint256 h) = rules.windowOf(space, ALICE);
        _same(e, a);
        _same(f, b);
        _same(g, c);
        _same(h, d);
    }

    function testAPolicyThatMisbehavesRefusesItsSpaceOnly() public {
        address[6] memory policies = [
            address(new LoopingPolicy()),
            address(new MegabytePolicy()),
            address(new WrongAnswerPolicy()),
            address(0xdead),
            address(new SilentPolicy()),
            address(new WritingPolicy())
        ];
        bytes4[6] memory reasons = [
            IMemoryRules.MemoryRulesPolicyOutOfGas.selector,
            IMemoryRules.MemoryRulesPolicyOutOfGas.selector,
            IMemoryRules.MemoryRulesPolicyInvalid.selector,
            IMemoryRules.MemoryRulesPolicyInvalid.selector,
            IMemoryRules.MemoryRulesPolicyRefused.selector,
            IMemoryRules.MemoryRulesPolicyOutOfGas.selector
        ];
        bytes32 honest = _space("honest", address(0), 0);
        for (uint256 i = 0; i < policies.length; ++i) {
            bytes32 space = _space(bytes32(i + 1), policies[i], 0);
            _put(honest, ALICE, ALICE_NATIVE);
            _put(space, ALICE, ALICE_NATIVE);
            _put(honest, ALICE, ALICE_NATIVE);
            (uint256[] memory verdicts, bytes[] memory given) = _decide();
            _same(verdicts[0] | verdicts[2], 0);
            _same(verdicts[1] >> 64, 1);
            require(uint64(verdicts[1]) <= rules.POLICY_GAS(), "more than its due");
            _same(given.length, 1);
            _same(bytes32(bytes4(given[0])), reasons[i]);
            _same(rules.spaceOf(space).entries, 0);
        }
        _same(rules.spaceOf(honest).entries, 12);
    }

    function testALongReasonIsCut() public {
        address policy = address(new LongErrorPolicy());
        bytes32 space = _space(policy);
        bytes memory inner = new bytes(1024);
        assembly {
            mstore(add(inner, 0x20), not(0))
            mstore(add(inner, 0x400), 7)
        }
        _put(space, ALICE, ALICE_NATIVE);
        _refuse(
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesPolicyRefused.selector,
                space,
                policy,
                inner
            )
        );
    }

    function testAPolicyGetsNoMoreThanTheWriterHas() public {
        address policy = address(new LoopingPolicy());
        bytes32 space = _space(policy);
        uint256[2] memory left = [uint256(0), 5000];
        for (uint256 i = 0; i < 2; ++i) {
            _tx(left[i]);
            _step(space, ALICE, ALICE_NATIVE);
            _op(1, 1);
            (uint256[] memory verdicts, bytes[] memory reasons) = _decide();
            _same(verdicts[0], (1 << 64) | left[i]);
            _same(
                keccak256(reasons[0]),
                keccak256(
                    abi.encodeWithSelector(
                        IMemoryRules.MemoryRulesPolicyOutOfGas.selector,
                        space,
                        policy,
                        left[i]
                    )
                )
            );
        }
    }

    function testABatchWithTooLittleGasIsNotDecided() public {
        bytes32 space = _space(address(new PickyPolicy()));
        bytes memory low = abi.encodePacked(IMemoryRules.MemoryRulesGasTooLow.selector);
        _put(space, ALICE, ALICE_NATIVE);
        _starved(_batch(), 100_000, low);
        _tx();
        _step(space, ALICE, ALICE_NATIVE);
        _op(1, 1);
        _step(space, ALICE, ALICE_NATIVE);
        _op(1, 1);
        _starved(_batch(), 120_000, low);
        _tx();
        _action(ALICE, ALICE_NATIVE, abi.encodeCall(IMemoryRules.freeze, (space)));
        _starved(_batch(), 900_000, low);
    }

    function _starved(bytes memory data, uint256 given, bytes memory wanted) private {
        vm.prank(SYSTEM_CALLER);
        (bool done, bytes memory answer) = MEMORY_RULES.call{gas: given}(data);
        require(!done && keccak256(answer) == keccak256(wanted), "not starved");
    }

    // ------------------------------------------------------------------ properties

    /// @dev Random transactions give the same verdicts, gas and state in one batch and one by one.
    function testFuzzABatchDecidesAsItsTransactionsAlone(uint256 seed) public {
        bytes32[4] memory spaces = [
            _space("plain", address(0), 0),
            _space("picky", address(new PickyPolicy()), 0),
            rules.personalSpaceOf(BOB_NATIVE),
            bytes32(0)
        ];
        vm.prank(ALICE);
        spaces[3] = rules.createSpace("tight", 0, address(0), 4, 400);
        _grant(spaces[0], BOB, MemoryRights.WRITE, 0);
        _grant(spaces[1], BOB_NATIVE, MemoryRights.WRITE | MemoryRights.CURATE, 0);
        _warm(spaces);
        bytes memory whole = _random(spaces, seed, 0, 8);
        bytes[] memory single = new bytes[](8);
        for (uint256 i = 0; i < 8; ++i) single[i] = _random(spaces, seed, i, i + 1);
        uint256 before = vm.snapshotState();
        (uint256[] memory verdicts, bytes[] memory reasons) = _run(whole);
        bytes32 state = _digest(spaces);
        require(vm.revertToState(before), "no snapshot");
        _warm(spaces);
        uint256 refused;
        for (uint256 i = 0; i < 8; ++i) {
            (uint256[] memory verdict, bytes[] memory reason) = _run(single[i]);
            _same(verdict[0], verdicts[i]);
            if (reason.length != 0) _same(keccak256(reason[0]), keccak256(reasons[refused++]));
        }
        _same(refused, reasons.length);
        _same(_digest(spaces), state);
    }

    function _random(
        bytes32[4] memory spaces,
        uint256 seed,
        uint256 from,
        uint256 to
    ) private returns (bytes memory) {
        for (uint256 i = from; i < to; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            _tx(dice % 5 == 0 ? 3000 : 1_000_000);
            for (uint256 s = 0; s <= (dice >> 8) % 3; ++s) {
                _randomStep(spaces, uint256(keccak256(abi.encode(dice, s))));
            }
        }
        return _batch();
    }

    function _randomStep(bytes32[4] memory spaces, uint256 die) private {
        bool alice = die % 2 == 0;
        address author = alice ? ALICE : BOB;
        address account = alice ? ALICE_NATIVE : BOB_NATIVE;
        bytes32 space = spaces[(die >> 16) % 4];
        if ((die >> 8) % 6 == 0) {
            _action(author, account, abi.encodeCall(rules.freeze, (space)));
            return;
        }
        if ((die >> 8) % 6 == 1) {
            _action(author, account, abi.encodeCall(rules.unfreeze, (space)));
            return;
        }
        _step(space, author, account);
        for (uint256 o = 0; o <= (die >> 24) % 3; ++o) {
            _op(1 + ((die >> (32 + o)) % 7), 8 + ((die >> (64 + o)) % 8));
        }
    }

    /// @dev Makes warm what is metered: a policy's call. The ledger's engine counts everything as warm.
    function _warm(bytes32[4] memory spaces) private view {
        require(rules.spaceOf(spaces[1]).policy.code.length != 0, "a policy");
    }

    function _run(
        bytes memory data
    ) private returns (uint256[] memory verdicts, bytes[] memory reasons) {
        vm.prank(SYSTEM_CALLER);
        (bool done, bytes memory answer) = MEMORY_RULES.call(data);
        require(done, "decide");
        return abi.decode(answer, (uint256[], bytes[]));
    }

    function _digest(bytes32[4] memory spaces) private view returns (bytes32 digest) {
        for (uint256 i = 0; i < 4; ++i) {
            (uint256 a, uint256 b, uint256 c, uint256 d) = rules.windowOf(spaces[i], ALICE);
            digest = keccak256(abi.encode(digest, rules.spaceOf(spaces[i]), a, b, c, d));
        }
    }
}
