/* guestos/include/pfs_txn.h: transactions that programs name, on bytes of files; the records of their undo log. See fs/txn.c. */
#ifndef PFS_TXN_H
#define PFS_TXN_H

#include <stdint.h>

#define TXN_LOG "/txn.log"             /* a file of struct txn_record; emptied when a transaction begins and no other is running */
#define TXN_RUNNING_MAX 8u
#define TXN_WRITE_MAX 1024u            /* bytes of one write within a transaction */
#define TXN_OLD 44u

enum txn_kind { TXN_REC_BEGIN = 1, TXN_REC_READ, TXN_REC_WRITE, TXN_REC_DEPENDS, TXN_REC_COMMIT, TXN_REC_ABORT };
struct txn_record {
	uint32_t txn, kind;
	uint32_t ino, at, n;           /* READ, WRITE: which bytes. DEPENDS: n is the other transaction */
	uint8_t old[TXN_OLD];          /* WRITE: what they were */
};
_Static_assert(sizeof(struct txn_record) == 64, "record size is on disk");

#endif
