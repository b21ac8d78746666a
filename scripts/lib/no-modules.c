/* Keeps a static C library from loading modules at run time.
 *
 * glibc asks nsswitch.conf which modules may look up names, and loads those that are not built in
 * (myhostname, sss, systemd) with the system's own C library below them. That needs the very glibc
 * that the binary was linked with; with another one it may crash. So every module is one that is
 * not there; `files` and `dns` are built in. The linker leads calls of the function here (--wrap).
 */

void *__wrap___libc_dlopen_mode(const char *name, int mode)
{
    (void)name;
    (void)mode;
    return 0;
}
