import { address, useRoute } from '../route.ts';

/** An address that leads to no page. */
export default function NowherePage(): React.JSX.Element {
  const { page } = useRoute();
  return (
    <div className="page">
      <header className="bar">
        <h1>No such page</h1>
      </header>
      <div className="empty">
        <p>
          There is no page <code>{page}</code>.
        </p>
        <p>
          <a href={address('graph')}>To the service graph</a>
        </p>
      </div>
    </div>
  );
}
