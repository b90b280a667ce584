/* A label provider that takes any label but "refused": PostgreSQL comes with none that runs everywhere. */
#include "postgres.h"

#include "commands/seclabel.h"
#include "fmgr.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

static void
check_label(const ObjectAddress *object, const char *label)
{
	if (label != NULL && strcmp(label, "refused") == 0)
		elog(ERROR, "this label is refused");
}

void
_PG_init(void)
{
	register_label_provider("lifeboat", check_label);
	register_label_provider("Other \"one\"", check_label);
}
