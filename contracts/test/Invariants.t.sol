// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "../SystemAddresses.sol";
import {IAuditLog} from "../interfaces/IAuditLog.sol";
import {IMemoryRules, MemoryRights} from "../interfaces/IMemoryRules.sol";
import {IReputation} from "../interfaces/IReputation.sol";
import {LedgerTest} from "./LedgerTest.sol";
import {Vm} from "./Vm.sol";

/// @dev Does to the contracts whatever the runner thinks of, as many accounts, and keeps its own books.
contract Crowd {
    Vm private constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    IMemoryRules private constant rules = IMemoryRules(MEMORY_RULES);

    address public immutable owner;
    bytes32 public immutable space;

    /// What the owner granted; only that may be held.
    mapping(address => uint256) public given;
    uint256 public wrote;
    uint256 public blocks;
    uint256 public reports;
    bool public selfMade;

    constructor(address owner_, bytes32 space_) {
        owner = owner_;
        space = space_;
    }

    function account(uint256 seed) public pure returns (address) {
        return address(uint160(0xc00 + (seed % 5)));
    }

    function ownerGrants(uint256 seed, uint256 rights) external {
        address subject = account(seed);
        rights = 1 + (rights % 15);
        vm.prank(owner);
        rules.grant(space, subject, rights, 0);
        given[subject] = rights;
    }

    function ownerRevokes(uint256 seed) external {
        vm.prank(owner);
        rules.revoke(space, account(seed));
        given[account(seed)] = 0;
    }

    /// @dev Any account grants to any, itself too.
    function anyoneGrants(uint256 from, uint256 to, uint256 rights) external {
        address subject = account(to);
        rights = 1 + (rights % 15);
        vm.prank(account(from));
        try rules.grant(space, subject, rights, 0) {
            if (from % 5 == to % 5 || rights & MemoryRights.ADMIN != 0) selfMade = true;
            given[subject] = rights;
        } catch {}
    }

    function anyoneCallsTheLedgersOwn(uint256 from, uint64 height, address subject) external {
        IReputation.Report[] memory list = new IReputation.Report[](1);
        list[0] = IReputation.Report(subject, 1, 1, 0);
        vm.prank(account(from));
        try IReputation(REPUTATION).record(list) {
            selfMade = true;
        } catch {}
        vm.prank(account(from));
        try IAuditLog(AUDIT_LOG).append(height, 1, 0) {
            selfMade = true;
        } catch {}
    }

    function ledgerReports(uint256 seed, uint32 count) external {
        IReputation.Report[] memory list = new IReputation.Report[](1);
        list[0] = IReputation.Report(account(seed), 3, count % 1000, 0);
        vm.prank(SYSTEM_CALLER);
        IReputation(REPUTATION).record(list);
        ++reports;
    }

    function ledgerSeals(uint64 height, uint64 operations) external {
        vm.prank(SYSTEM_CALLER);
        try IAuditLog(AUDIT_LOG).append(height, operations, 0) {
            ++blocks;
        } catch {}
    }

    function ledgerDecides(uint256 seed, uint8 kind, uint16 entries, uint16 size) external {
        IMemoryRules.Transaction[] memory txs = new IMemoryRules.Transaction[](1);
        IMemoryRules.Step[] memory steps = new IMemoryRules.Step[](1);
        IMemoryRules.Operation[] memory operations = new IMemoryRules.Operation[](0);
        txs[0] = IMemoryRules.Transaction(0, 1, 0, 0);
        steps[0] = IMemoryRules.Step(
            space,
            account(seed),
            account(seed),
            1 << (1 + (kind % 7)),
            entries,
            size,
            0
        );
        vm.prank(SYSTEM_CALLER);
        (uint256[] memory verdicts, ) = rules.decide(
            txs,
            steps,
            operations,
            new address[](0),
            new bytes[](0)
        );
        if (verdicts[0] == 0) wrote += entries;
    }

    function timePasses(uint32 by) external {
        vm.warp(block.timestamp + by);
    }
}

/// @dev What holds whatever happens.
contract InvariantsTest is LedgerTest {
    Crowd private _crowd;
    bytes32 private _id;

    function setUp() public override {
        super.setUp();
        vm.prank(ALICE);
        _id = rules.createSpace("crowd", 1, address(0), 500, 100_000);
        _crowd = new Crowd(ALICE, _id);
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(_crowd);
    }

    function invariantNoOneGrantsItselfARight() external view {
        require(!_crowd.selfMade(), "somebody did what only others may");
        for (uint256 i = 0; i < 5; ++i) {
            address account = _crowd.account(i);
            _same(rules.rightsOf(_id, account), _crowd.given(account));
            (bool holds, ) = access.hasRole(0, account);
            require(!holds, "a role");
        }
    }

    function invariantQuotasHold() external view {
        IMemoryRules.Space memory record = rules.spaceOf(_id);
        require(record.entries <= 500 && record.size <= 100_000, "over quota");
        _same(record.entries, _crowd.wrote());
    }

    function invariantReputationMovesOnlyByTheLedger() external view {
        uint256 changes;
        for (uint256 i = 0; i < 5; ++i) {
            uint256 count = reputation.changesOf(_crowd.account(i));
            if (count == 0) _same(reputation.scoreOf(_crowd.account(i)), 500_000);
            changes += count;
        }
        _same(changes, _crowd.reports());
    }

    function invariantTheAuditLogHasNoGap() external view {
        uint256 length = auditLog.length();
        _same(length, _crowd.blocks());
        bytes32 head;
        uint64 last;
        for (uint256 i = 0; i < length; ++i) {
            IAuditLog.Leaf memory leaf = auditLog.leafAt(i);
            require(leaf.height > last, "heights rise");
            last = leaf.height;
            head = sha256(abi.encodePacked(head, leaf.height, leaf.operations, leaf.root));
        }
        _same(auditLog.head(), head);
    }
}
