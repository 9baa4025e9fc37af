/** The page that the `type` of each problem leads to. */
export const problemsPage = {
  title: 'Problems of this service',
  introduction:
    'The `type` of each error leads here. Programs compare its `code`; its `title` and `detail` can be shown to people; its `request_id` finds the request in the log.',
}
