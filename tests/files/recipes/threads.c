// SPDX-License-Identifier: GPL-2.0
/*
 * threads - a small program to record: two named threads that compute, each
 * through a call chain of its own, and a main thread that waits for them.
 */
#include <pthread.h>
#include <stdint.h>
#include <sys/prctl.h>

#define ROUNDS 12000000u

#define KEEP __attribute__((noinline, noclone))

static volatile uint64_t result;

static KEEP void spin(uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++)
		result = result * 6364136223846793005u + i;
}

static KEEP void filter(uint32_t rounds)
{
	spin(rounds);
	result++; /* no tail call: the frame stays */
}

static KEEP void *estimate(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "estimator");
	for (int i = 0; i < 4; i++)
		filter(ROUNDS);
	return NULL;
}

static KEEP void *log_data(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "logger");
	for (int i = 0; i < 2; i++)
		spin(ROUNDS);
	return NULL;
}

int main(void)
{
	pthread_t threads[2];

	pthread_create(&threads[0], NULL, estimate, NULL);
	pthread_create(&threads[1], NULL, log_data, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
