// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "../SystemAddresses.sol";
import {ILedger} from "../interfaces/ILedger.sol";
import {IMemoryRules, MemoryRights} from "../interfaces/IMemoryRules.sol";
import {LedgerTest} from "./LedgerTest.sol";
import "./Policies.sol";

/// @dev Writing to memory from the EVM.
contract LedgerContractTest is LedgerTest {
    function _put(bytes32 space, string memory key, string[] memory tags) private {
        ledger.put(space, 1, key, "content", tags);
    }

    function _tags(string memory a, string memory b) private pure returns (string[] memory tags) {
        tags = new string[](2);
        (tags[0], tags[1]) = (a, b);
    }

    function testAContractWritesToItsPersonalSpace() public {
        bytes32 space = rules.personalSpaceOf(address(this));
        bytes32 id = sha256(
            abi.encodePacked("metatron/entry/contract/", space, address(this), uint64(0))
        );
        string[] memory tags = _tags("a", unicode"ß");
        vm.expectEmit();
        emit ILedger.PutRequested(id, space, address(this), 0, 6, "key", "content", tags);
        _same(ledger.put(0, 6, "key", "content", tags), id);
        _same(ledger.requests(), 1);
        require(ledger.put(0, 6, "key", "content", tags) != id, "one id for two");
        _same(rules.spaceOf(space).entries, 2);
        _same(rules.spaceOf(space).size, 2 * (3 + 7 + 1 + 2));
    }

    function testAnAccountNeedsItsNativeAddress() public {
        vm.prank(BOB, BOB);
        vm.expectRevert(abi.encodeWithSelector(ILedger.LedgerAccountNotLinked.selector, BOB));
        _put(0, "", new string[](0));
        bytes32 space = _space(address(0));
        vm.prank(ALICE, ALICE);
        _put(space, "", new string[](0));
        (address author, address account) = rules.link(
            0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,
            0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8
        );
        vm.prank(author, author);
        _put(0, "", new string[](0));
        _same(rules.spaceOf(rules.personalSpaceOf(account)).entries, 1);
    }

    function testTheRulesDecideAtOnce() public {
        bytes32 space = _space(address(0));
        vm.expectRevert(
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesNotGranted.selector,
                space,
                address(this),
                MemoryRights.WRITE,
                MemoryRights.READ
            )
        );
        _put(space, "key", new string[](0));
        _grant(space, address(this), MemoryRights.WRITE, 0);
        _put(space, "key", new string[](0));
        bytes32 picky = _space("picky", address(new PickyPolicy()), 0);
        _grant(picky, address(this), MemoryRights.WRITE, 0);
        _put(picky, "", new string[](0));
        (uint256 writes, uint256 size, , ) = rules.windowOf(picky, address(this));
        _same(writes, 1);
        _same(size, 7);
        vm.expectRevert(
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesPolicyRefused.selector,
                picky,
                rules.spaceOf(picky).policy,
                abi.encodeWithSelector(PickyPolicy.Enough.selector, 1, 7)
            )
        );
        _put(picky, "thirty", new string[](0));
    }

    function testBoundsAreThoseOfANativePut() public {
        string[] memory none = new string[](0);
        uint8[2] memory types = [0, 7];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(ILedger.LedgerInvalidType.selector, types[i])
            );
            ledger.put(0, types[i], "", "x", none);
        }
        uint256[2] memory sizes = [uint256(0), 65_537];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(ILedger.LedgerInvalidContent.selector, sizes[i], 65_536)
            );
            ledger.put(0, 1, "", new bytes(sizes[i]), none);
        }
        ledger.put(0, 1, string(_filled(256)), "x", none);
        vm.expectRevert(ILedger.LedgerInvalidKey.selector);
        ledger.put(0, 1, string(_filled(257)), "x", none);
        vm.expectRevert(ILedger.LedgerInvalidKey.selector);
        ledger.put(0, 1, string(bytes(hex"ff")), "x", none);
        _badTags(_tags("same", "same"));
        _badTags(_tags("", "a"));
        _badTags(_tags(string(_filled(65)), "a"));
        _badTags(_tags(string(bytes(hex"c0")), "a"));
        _badTags(new string[](17));
    }

    function _badTags(string[] memory tags) private {
        vm.expectRevert(ILedger.LedgerInvalidTags.selector);
        ledger.put(0, 1, "", "x", tags);
    }

    function _filled(uint256 size) private pure returns (bytes memory text) {
        text = new bytes(size);
        for (uint256 i = 0; i < size; ++i) text[i] = "k";
    }

    function _isText(bytes memory key) private returns (bool done) {
        (done, ) = LEDGER.call(
            abi.encodeCall(ILedger.put, (0, 1, string(key), "x", new string[](0)))
        );
    }

    function testTextIsUtf8() public {
        bytes[7] memory good = [
            bytes(hex"00"),
            hex"7f",
            hex"c280",
            hex"e0a080",
            hex"ed9fbfee8080",
            hex"f0908080",
            hex"f48fbfbf"
        ];
        for (uint256 i = 0; i < good.length; ++i) require(_isText(good[i]), "good");
        bytes[12] memory bad = [
            bytes(hex"80"),
            hex"c1bf",
            hex"c2",
            hex"c27f",
            hex"e09fbf",
            hex"eda080",
            hex"e08080",
            hex"e182",
            hex"f08fbfbf",
            hex"f4908080",
            hex"f5808080",
            hex"f0908041"
        ];
        for (uint256 i = 0; i < bad.length; ++i) require(!_isText(bad[i]), "bad");
    }
}
