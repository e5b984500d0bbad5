/* txn.h: transactions on bytes of files, an invention of Pagoda's: ioctls on an open file, and the records of their undo log, the file
 * /txn.log. What is read and written through the open file between begin and commit or abort belongs to the transaction. */
#ifndef TXN_H
#define TXN_H

#include <stdint.h>

#define TXN_BEGIN 0x5001               /* argument 1: strict, others' unfinished work is refused with EAGAIN; 0: it can be seen */
#define TXN_COMMIT 0x5002              /* EBUSY: depends on one that runs; ECANCELED: it has been aborted with one */
#define TXN_ABORT 0x5003

#define TXN_LOG "/txn.log"
struct txn_record {
	uint32_t txn, kind;
	uint32_t inode, at, n;
	char old[44];
};
enum { TXN_REC_BEGIN = 1, TXN_REC_READ, TXN_REC_WRITE, TXN_REC_DEPENDS, TXN_REC_COMMIT, TXN_REC_ABORT };

#endif
