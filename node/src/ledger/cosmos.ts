/**
 * The generated codecs of the Cosmos SDK's own .proto files, for queries and stored metadata.
 *
 * The one file of the ledger that names cosmjs-types. Transactions are not read with these but by
 * the strict codecs of tx/wire.ts.
 *
 * @module
 */
import * as authTypes from 'cosmjs-types/cosmos/auth/v1beta1/auth';
import * as authQueries from 'cosmjs-types/cosmos/auth/v1beta1/query';
import * as bankTypes from 'cosmjs-types/cosmos/bank/v1beta1/bank';
import * as bankQueries from 'cosmjs-types/cosmos/bank/v1beta1/query';
import * as abci from 'cosmjs-types/cosmos/base/abci/v1beta1/abci';
import * as paging from 'cosmjs-types/cosmos/base/query/v1beta1/pagination';
import * as txService from 'cosmjs-types/cosmos/tx/v1beta1/service';
import * as tx from 'cosmjs-types/cosmos/tx/v1beta1/tx';

/** Codecs by proto package. */
export const cosmos: {
  readonly auth: typeof authTypes;
  readonly authQueries: typeof authQueries;
  readonly bank: typeof bankTypes;
  readonly bankQueries: typeof bankQueries;
  readonly abci: typeof abci;
  readonly paging: typeof paging;
  readonly tx: typeof tx;
  readonly txService: typeof txService;
} = { auth: authTypes, authQueries, bank: bankTypes, bankQueries, abci, paging, tx, txService };

/** Types of those packages that signatures name. */
export type PageRequest = paging.PageRequest;
export type PageResponse = paging.PageResponse;
export type BaseAccount = authTypes.BaseAccount;
export type Any = NonNullable<authQueries.QueryAccountResponse['account']>;
export type Event = abci.TxResponse['events'][number];
