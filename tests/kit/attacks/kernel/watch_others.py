"""Wants to hear of what others do: inotify, fanotify, perf, bpf, a map of the page cache.

Fails because these calls are refused.
"""

import ctypes

CALLS = """
inotify_init1 294 fanotify_init 300 perf_event_open 298 bpf 321 mincore 27 lookup_dcookie 212
migrate_pages 256 move_pages 279 get_robust_list 274 rt_tgsigqueueinfo 297 process_vm_readv 310
signalfd4 289 timer_create 222 mq_open 240 msgget 68 semget 64 shmget 29 add_key 248
""".split()


def layernorm(x, gain, bias, eps=1e-5):
    call = ctypes.CDLL(None).syscall
    area = ctypes.create_string_buffer(4096)
    for name, number in zip(CALLS[::2], map(int, CALLS[1::2])):
        if call(number, 0, area, area, 0, 0) >= 0:
            print("REACHED", name)
    return x
