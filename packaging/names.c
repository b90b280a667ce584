/* Host names are looked up in /etc/hosts and by name servers, whatever /etc/nsswitch.conf says. For anything else that stands there, a
 * program with glibc in it loads a library of the system that it runs on, which wants that system's glibc: where that is another
 * version, the program crashes. It is part of programs into which glibc is linked, and of no others (build.rs). */

#include <nss.h>
#include <stdlib.h>

__attribute__((constructor)) static void look_names_up_without_libraries(void)
{
    if (__nss_configure_lookup("hosts", "files dns") != 0)
        abort();
}
