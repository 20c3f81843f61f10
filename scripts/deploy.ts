/**
 * `npx hardhat run scripts/deploy.ts`: deploys the worked example of an organisation's policy,
 * contracts/examples/EditorialPolicy.sol, and prints its address.
 *
 * Which chain and whose key: those of Hardhat's `--network`; without it, a chain in this process.
 *
 * @module
 */
import { network } from 'hardhat';

/** Most bytes of an entry that the policy allows. */
const MAX_BYTES = 4_096;

const { ethers } = await network.create();
const policy = await ethers.deployContract('EditorialPolicy', [MAX_BYTES]);
await policy.waitForDeployment();
console.log(await policy.getAddress());
