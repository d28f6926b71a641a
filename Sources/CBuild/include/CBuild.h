/// The commit that the program was built from, as 12 hexadecimal digits, with `-dirty` behind them if files had changed;
/// an empty text if the build didn't say. Source: `LLM_ROUTER_COMMIT` in the environment of the build.
const char *llm_router_commit(void);
