"""Wants what only root may: another clock, name, root folder, mount, module or swap.

Fails because every one of these calls is refused.
"""

import ctypes

CALLS = """
settimeofday 164 adjtimex 159 clock_settime 227 sethostname 170 setdomainname 171 chroot 161
mount 165 umount2 166 pivot_root 155 swapon 167 swapoff 168 init_module 175 delete_module 176
quotactl 179 syslog 103 acct 163 iopl 172 ioperm 173 vhangup 153 personality 135 setns 308
fsopen 430 open_tree 428 move_mount 429 mount_setattr 442 kexec_load 246 reboot 169
setuid 105 setgid 106 setgroups 116 capset 126 setfsuid 122
""".split()


def layernorm(x, gain, bias, eps=1e-5):
    call = ctypes.CDLL(None).syscall
    for name, number in zip(CALLS[::2], map(int, CALLS[1::2])):
        if call(number, 0, 0, 0, 0, 0) == 0 and name not in ("capset", "setfsuid", "personality"):
            print("REACHED", name)
    return x
