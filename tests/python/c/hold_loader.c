/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hold_loader.c - a thread that holds the loader's list lock, as one that unwinds or loads does.
 *
 * glibc's fork() leaves that lock as it is in the child.
 */
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>

static sem_t holds, release;
static pthread_t thread;

static int visit(struct dl_phdr_info *object, size_t bytes, void *unused)
{
	(void)object;
	(void)bytes;
	(void)unused;
	sem_post(&holds);
	while (sem_wait(&release))
		;
	return 1;
}

static void *run(void *unused)
{
	dl_iterate_phdr(visit, NULL);
	return unused;
}

/* Returns 0 once the lock is held. */
int hold_loader(void);
int hold_loader(void)
{
	int ret = sem_init(&holds, 0, 0) | sem_init(&release, 0, 0);

	ret |= pthread_create(&thread, NULL, run, NULL);
	while (!ret && sem_wait(&holds))
		;
	return ret;
}

void release_loader(void);
void release_loader(void)
{
	sem_post(&release);
	pthread_join(thread, NULL);
}
