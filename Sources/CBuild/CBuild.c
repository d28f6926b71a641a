#include "CBuild.h"

const char *llm_router_commit(void) {
    return LLM_ROUTER_COMMIT;
}
