// SPDX-License-Identifier: GPL-2.0
/*
 * The table of reasons.  A '*' at the end stands for any rest.  Functions of one
 * chain are looked up from the leaf outwards, so that a general name (do_futex)
 * may stand beside a special one that it calls.
 */
#include "perfconv/resolve/reasons.h"

#include <stdbool.h>
#include <string.h>

struct pattern {
	const char *name;
	enum reason reason;
};

static const char *const names[REASONS] = {
	[REASON_NONE] = "[waiting]",	    [REASON_SLEEP] = "[sleep]",
	[REASON_GIL] = "[GIL wait]",	    [REASON_LOCK] = "[lock]",
	[REASON_POLL] = "[poll]",	    [REASON_SOCKET] = "[socket]",
	[REASON_PIPE] = "[pipe]",	    [REASON_TERMINAL] = "[terminal]",
	[REASON_DISK] = "[disk]",	    [REASON_PAGE_FAULT] = "[page fault]",
	[REASON_CHILD] = "[child]",	    [REASON_SIGNAL] = "[signal]",
	[REASON_STOPPED] = "[stopped]",	    [REASON_KERNEL] = "[kernel]",
	[REASON_PREEMPTED] = "[preempted]", [REASON_RUN_QUEUE] = "[run queue]",
	[REASON_SWITCHING] = "[switching]", [REASON_OTHER] = "[other]",
};

static const struct pattern kernel[] = {
	/* time.sleep(), nanosleep(), clock_nanosleep() */
	{ "do_nanosleep", REASON_SLEEP },
	{ "hrtimer_nanosleep", REASON_SLEEP },
	{ "common_nsleep*", REASON_SLEEP },
	{ "alarm_timer_nsleep*", REASON_SLEEP },
	{ "msleep*", REASON_SLEEP },
	/* locks and conditions of user programs; [GIL wait] is told from them by its address */
	{ "futex_wait*", REASON_LOCK },
	{ "futex_lock_pi*", REASON_LOCK },
	{ "do_futex", REASON_LOCK },
	{ "ksys_semtimedop", REASON_LOCK },
	{ "do_semtimedop", REASON_LOCK },
	{ "flock_lock_inode_wait", REASON_LOCK },
	{ "locks_lock_inode_wait", REASON_LOCK },
	{ "fcntl_setlk*", REASON_LOCK },
	{ "do_mq_timedreceive", REASON_LOCK },
	{ "do_mq_timedsend", REASON_LOCK },
	/* select(), poll(), epoll: sockets with a timeout too */
	{ "do_select", REASON_POLL },
	{ "core_sys_select", REASON_POLL },
	{ "do_poll", REASON_POLL },
	{ "do_sys_poll", REASON_POLL },
	{ "ep_poll", REASON_POLL },
	{ "do_epoll_wait", REASON_POLL },
	{ "do_epoll_pwait", REASON_POLL },
	{ "io_cqring_wait", REASON_POLL },
	{ "read_events", REASON_POLL },
	{ "inotify_read", REASON_POLL },
	{ "timerfd_read*", REASON_POLL },
	/* blocking sockets */
	{ "sk_wait_data", REASON_SOCKET },
	{ "sk_stream_wait_*", REASON_SOCKET },
	{ "tcp_recvmsg*", REASON_SOCKET },
	{ "tcp_sendmsg*", REASON_SOCKET },
	{ "inet_stream_connect", REASON_SOCKET },
	{ "__inet_stream_connect", REASON_SOCKET },
	{ "inet_wait_for_connect", REASON_SOCKET },
	{ "inet_csk_accept", REASON_SOCKET },
	{ "inet_csk_wait_for_connect", REASON_SOCKET },
	{ "__skb_wait_for_more_packets", REASON_SOCKET },
	{ "__skb_recv_*", REASON_SOCKET },
	{ "skb_recv_*", REASON_SOCKET },
	{ "sock_alloc_send_pskb", REASON_SOCKET },
	{ "unix_stream_*", REASON_SOCKET },
	{ "unix_dgram_*", REASON_SOCKET },
	{ "unix_wait_for_peer", REASON_SOCKET },
	{ "unix_accept", REASON_SOCKET },
	{ "udp_recvmsg*", REASON_SOCKET },
	{ "raw_recvmsg", REASON_SOCKET },
	{ "packet_recvmsg", REASON_SOCKET },
	{ "netlink_recvmsg", REASON_SOCKET },
	{ "sock_recvmsg*", REASON_SOCKET },
	{ "sock_sendmsg*", REASON_SOCKET },
	{ "__sys_accept4*", REASON_SOCKET },
	{ "__sys_connect*", REASON_SOCKET },
	/* pipes, FIFOs, eventfd */
	{ "pipe_read", REASON_PIPE },
	{ "pipe_write", REASON_PIPE },
	{ "pipe_wait_*", REASON_PIPE },
	{ "anon_pipe_read", REASON_PIPE },
	{ "anon_pipe_write", REASON_PIPE },
	{ "fifo_open", REASON_PIPE },
	{ "wait_for_partner", REASON_PIPE },
	{ "eventfd_read", REASON_PIPE },
	{ "eventfd_write", REASON_PIPE },
	{ "n_tty_read", REASON_TERMINAL },
	{ "n_tty_write", REASON_TERMINAL },
	{ "tty_read", REASON_TERMINAL },
	{ "tty_wait_until_sent", REASON_TERMINAL },
	/* files: reads past the page cache, fsync, the journal, the block layer */
	{ "io_schedule*", REASON_DISK },
	{ "folio_wait_*", REASON_DISK },
	{ "wait_on_page_*", REASON_DISK },
	{ "__folio_lock*", REASON_DISK },
	{ "__lock_page*", REASON_DISK },
	{ "filemap_fdatawait_range*", REASON_DISK },
	{ "__filemap_fdatawait_range", REASON_DISK },
	{ "jbd2_*", REASON_DISK },
	{ "wait_transaction_locked", REASON_DISK },
	{ "xfs_log_force*", REASON_DISK },
	{ "xlog_*", REASON_DISK },
	{ "btrfs_wait_*", REASON_DISK },
	{ "btrfs_sync_*", REASON_DISK },
	{ "nfs_wait_*", REASON_DISK },
	{ "rpc_wait_bit_killable", REASON_DISK },
	{ "blk_mq_*", REASON_DISK },
	{ "submit_bio_wait", REASON_DISK },
	{ "blkdev_issue_flush", REASON_DISK },
	{ "__wait_on_buffer", REASON_DISK },
	{ "balance_dirty_pages*", REASON_DISK },
	{ "vfs_fsync*", REASON_DISK },
	{ "do_fsync", REASON_DISK },
	{ "ksys_sync", REASON_DISK },
	{ "request_wait_answer", REASON_DISK }, /* FUSE */
	{ "fuse_simple_request", REASON_DISK },
	{ "p9_client_rpc", REASON_DISK },
	/* faults, whatever they wait for (see reason__combine) */
	{ "do_user_addr_fault", REASON_PAGE_FAULT },
	{ "exc_page_fault", REASON_PAGE_FAULT },
	{ "asm_exc_page_fault", REASON_PAGE_FAULT },
	{ "do_page_fault", REASON_PAGE_FAULT },
	{ "do_translation_fault", REASON_PAGE_FAULT },
	{ "do_mem_abort", REASON_PAGE_FAULT },
	{ "handle_mm_fault", REASON_PAGE_FAULT },
	/* children */
	{ "do_wait", REASON_CHILD },
	{ "kernel_wait4", REASON_CHILD },
	{ "kernel_clone", REASON_CHILD }, /* vfork() until the child has its program */
	{ "wait_for_vfork_done", REASON_CHILD },
	/* signals and the like */
	{ "sigsuspend", REASON_SIGNAL },
	{ "do_sigtimedwait*", REASON_SIGNAL },
	{ "__x64_sys_pause", REASON_SIGNAL },
	{ "__do_sys_pause", REASON_SIGNAL },
	{ "signalfd_read*", REASON_SIGNAL },
	{ "do_signal_stop", REASON_STOPPED },
	{ "ptrace_stop", REASON_STOPPED },
	{ "do_freezer_trap", REASON_STOPPED },
	{ "__refrigerator", REASON_STOPPED },
	/* the kernel's own affairs */
	{ "rwsem_down_*", REASON_KERNEL },
	{ "__mutex_lock*", REASON_KERNEL },
	{ "__down_*", REASON_KERNEL },
	{ "__wait_rcu_gp", REASON_KERNEL },
	{ "synchronize_*", REASON_KERNEL },
	{ "exp_funnel_lock", REASON_KERNEL },
	{ "worker_thread", REASON_KERNEL },
	{ "rcu_gp_kthread", REASON_KERNEL },
	{ "rcu_gp_fqs_loop", REASON_KERNEL },
	{ "smpboot_thread_fn", REASON_KERNEL },
	{ "kthread", REASON_KERNEL },
};

static const struct pattern user[] = {
	{ "clock_nanosleep*", REASON_SLEEP },
	{ "nanosleep", REASON_SLEEP },
	{ "usleep", REASON_SLEEP },
	{ "pthread_cond_*", REASON_LOCK },
	{ "pthread_mutex_*", REASON_LOCK },
	{ "pthread_rwlock_*", REASON_LOCK },
	{ "sem_wait", REASON_LOCK },
	{ "sem_timedwait", REASON_LOCK },
	{ "sem_clockwait", REASON_LOCK },
	{ "select", REASON_POLL },
	{ "pselect", REASON_POLL },
	{ "poll", REASON_POLL },
	{ "ppoll", REASON_POLL },
	{ "epoll_wait", REASON_POLL },
	{ "epoll_pwait*", REASON_POLL },
	{ "recv", REASON_SOCKET },
	{ "recvfrom", REASON_SOCKET },
	{ "recvmsg", REASON_SOCKET },
	{ "send", REASON_SOCKET },
	{ "sendto", REASON_SOCKET },
	{ "sendmsg", REASON_SOCKET },
	{ "connect", REASON_SOCKET },
	{ "accept", REASON_SOCKET },
	{ "accept4", REASON_SOCKET },
	{ "fsync", REASON_DISK },
	{ "fdatasync", REASON_DISK },
	{ "wait4", REASON_CHILD },
	{ "waitpid", REASON_CHILD },
	{ "waitid", REASON_CHILD },
	{ "pause", REASON_SIGNAL },
	{ "sigsuspend", REASON_SIGNAL },
	{ "sigwait*", REASON_SIGNAL },
	{ "sigtimedwait", REASON_SIGNAL },
};

const char *reason__name(enum reason reason)
{
	return names[reason];
}

enum reason reason__by_name(const char *name)
{
	enum reason reason = REASON_NONE;

	while (reason < REASONS && strcmp(names[reason], name))
		reason++;
	return reason;
}

static bool matches(const char *pattern, const char *function, size_t n)
{
	size_t length = strlen(pattern);

	if (pattern[length - 1] == '*')
		return n >= length - 1 && !strncmp(pattern, function, length - 1);
	return n == length && !strncmp(pattern, function, n);
}

/* Without what compilers append (.isra.0, .constprop.0) and symbol versions (@@GLIBC_2.34). */
static enum reason look_up(const struct pattern *table, size_t n, const char *function)
{
	size_t length = strcspn(function, ".@");

	for (size_t i = 0; i < n; i++)
		if (matches(table[i].name, function, length))
			return table[i].reason;
	return REASON_NONE;
}

enum reason reason__of_kernel(const char *function)
{
	return look_up(kernel, sizeof(kernel) / sizeof(*kernel), function);
}

enum reason reason__of_user(const char *function)
{
	function += strspn(function, "_"); /* __select, __libc_recv */
	if (!strncmp(function, "libc_", 5))
		function += 5;
	return look_up(user, sizeof(user) / sizeof(*user), function);
}

enum reason reason__combine(enum reason inner, enum reason outer)
{
	if (outer == REASON_PAGE_FAULT)
		return outer;
	return inner == REASON_NONE ? outer : inner;
}
